/** Shows an address in the person's browser, where there is one to be shown it. */
import { spawn } from 'node:child_process';

/** Whether a person sits before a screen of this machine. */
export function hasDisplay(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['CI'] || env['SSH_CONNECTION'] || env['SSH_TTY']) return false;
  if (process.platform !== 'linux') return true;
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/** Never fails: whoever sees no browser has the address on the screen. */
export function openBrowser(url: string): void {
  const [command, ...args] = {
    darwin: ['open', url],
    // `start` takes its first quoted argument as a title.
    win32: ['cmd', '/c', 'start', '""', url],
  }[process.platform as string] ?? ['xdg-open', url];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
