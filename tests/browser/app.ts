/**
 * The app as a person has it: the real command in a process of its own, the page in real Chromium. For
 * the browser tests, the app's benchmark and its screenshots.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { createClient, type Client } from '../../core/contract/protocol.ts';
import { isActive, type Run } from '../../core/contract/records.ts';
import { createSocketTransport, type SocketLike } from '../../core/contract/socketTransport.ts';
import { chromiumArguments, findChromium } from '../../scripts/chromium.ts';

export const root = join(import.meta.dirname, '..', '..');
export const sampleText = join(root, 'samples', 'tinyshakespeare.txt');

/** Why browser tests cannot run here; false where they can. */
export const noBrowser =
  findChromium() === undefined
    ? 'There is no Chromium; CHROMIUM may name one, and on Debian "apt-get install chromium" brings it.'
    : false;

export interface ServedApp {
  /** With its token. */
  url: string;
  home: string;
  /** Of the command, its supervisor. */
  process: ChildProcess;
  /** Everything the command printed on stdout, line by line. */
  lines: Record<string, unknown>[];
  /** Asks it to end as Ctrl-C does, waits, and removes its data. */
  stop: () => Promise<void>;
}

/** Starts `switchyard serve` on a data directory of its own. */
export async function serveApp(
  home = mkdtempSync(join(tmpdir(), 'switchyard-app-')),
): Promise<ServedApp> {
  const process_ = spawn(
    process.execPath,
    [
      join(root, 'core', 'server', 'cli', 'main.ts'),
      ...['serve', '--no-open', '--json', '--port', '0', '--home', home],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const lines: Record<string, unknown>[] = [];
  let errors = '';
  process_.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<void>((resolve) => process_.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(process_.stdout).on('line', (line) => {
      const record = JSON.parse(line) as Record<string, unknown>;
      lines.push(record);
      if (record['type'] === 'serving') resolve(String(record['url']));
    });
    void ended.then(() => reject(new Error(`serve ended before it served:\n${errors}`)));
  });
  return {
    url,
    home,
    process: process_,
    lines,
    stop: async () => {
      process_.kill('SIGINT');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface OpenPage {
  page: Page;
  /** What went wrong in the page: exceptions, error messages, refusals by the security policy. */
  problems: string[];
  close: () => Promise<void>;
}

let browser: Promise<Browser> | undefined;

/** Opens an address in a fresh profile of one shared browser. */
export async function openPage(
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(String(noBrowser));
  browser ??= chromium.launch({ executablePath, args: chromiumArguments });
  const context = await (
    await browser
  ).newContext({
    viewport: { width: 1360, height: 860 },
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // A lost connection is what some tests are about; the browser reports each attempt.
    if (message.type() === 'error' && !/WebSocket|ERR_CONNECTION/u.test(message.text()))
      problems.push(message.text());
  });
  await page.goto(url);
  return { page, problems, close: () => context.close() };
}

/** Ends the shared browser. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** Drags files from outside the browser and drops them in the middle of the window. */
export async function dropFiles(page: Page, files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const size = page.viewportSize() ?? { width: 800, height: 600 };
  const at = { x: size.width / 2, y: size.height / 2 };
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, ...at, data });
  await session.detach();
}

/** A client of a served core, beside the page: for what a test or a script must set up or know. */
export async function connectTo(url: string): Promise<{ client: Client; close: () => void }> {
  const { host, hash } = new URL(url);
  const connected = Promise.withResolvers<undefined>();
  const transport = createSocketTransport({
    open: (address, protocols) => new WebSocket(address, protocols) as SocketLike,
    url: `ws://${host}/socket`,
    token: new URLSearchParams(hash.slice(1)).get('token') ?? '',
    setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
    onState: ({ state }) => {
      if (state === 'connected') connected.resolve(undefined);
    },
  });
  await connected.promise;
  return { client: createClient(transport), close: () => transport.close() };
}

/** Resolves once a run has ended. */
export async function runEnded(client: Client, id: string): Promise<Run> {
  for (;;) {
    const run = await client.call('runs.get', { run: id });
    if (!isActive(run.status)) return run;
    await delay(200);
  }
}
