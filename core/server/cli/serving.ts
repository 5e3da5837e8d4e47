/** Serves the app until a person ends it: the page for a browser, the core in a process of its own. */
import { SwitchyardError, fromErrorRecord } from '../../contract/errors.ts';
import { openPath } from '../../contract/wire.ts';
import { startSupervisor, type SupervisorState } from '../supervisor.ts';
import type { Context } from './context.ts';
import { onEverySignal } from './interrupts.ts';
import { hasDisplay, openBrowser } from './openBrowser.ts';

export interface Serving {
  /** Undefined: the usual one, or any free one where that is taken. */
  port: number | undefined;
  /** Whether to show the page in the person's browser. */
  open: boolean;
}

/** The same every time, so that a tunnel and the browser's history keep working. */
export const usualPort = 7373;

/** @throws SwitchyardError when the core cannot start or crashes again and again */
export async function serveUntilStopped(context: Context, { port, open }: Serving): Promise<void> {
  const { out, home } = context;
  const over = Promise.withResolvers<undefined>();
  let shown = false;

  const show = (state: Extract<SupervisorState, { state: 'serving' }>): void => {
    const url = `http://127.0.0.1:${state.port}/#token=${state.token}`;
    out.record({ type: 'serving', url, port: state.port });
    if (shown) return;
    shown = true;
    if (port === undefined && state.port !== usualPort)
      out.line(`Port ${usualPort} is taken, so another one was chosen.`);
    out.line(`Switchyard is at ${url}`);
    out.line(out.paint('dim', 'Ctrl-C ends it; runs that train write a checkpoint first.'));
    // Not `url`: a browser's arguments can be read by everybody on this machine.
    if (open && hasDisplay())
      openBrowser(`http://127.0.0.1:${state.port}${openPath}?ticket=${state.ticket}`);
  };
  const supervisor = startSupervisor({
    node: process.execPath,
    ...(home === undefined ? {} : { home }),
    port: port ?? usualPort,
    anyPort: port === undefined,
    onState: (state) => {
      switch (state.state) {
        case 'starting':
          return;
        case 'serving':
          show(state);
          return;
        case 'restarting':
          out.record({ type: 'restarting', reason: state.reason, attempt: state.attempt });
          out.note(`${state.reason} It is started again.`);
          return;
        case 'failed':
          over.reject(fromErrorRecord(state.error));
          return;
        case 'stopped':
          over.resolve(undefined);
      }
    },
  });
  let asked = false;
  const stop = (): void => {
    if (!asked)
      out.note('Stopping; runs that train write a checkpoint first. Ctrl-C again ends at once.');
    asked = true;
    // A second call kills the core.
    void supervisor.stop();
  };
  const release = onEverySignal(stop);
  try {
    await over.promise;
  } finally {
    release();
  }
}

/** An error for people who named a port outside the range. */
export function requirePort(port: number): number {
  if (port <= 65_535) return port;
  throw new SwitchyardError(
    'invalid-argument',
    `--port is ${port}, but must be a whole number from 0 (any free one) to 65535.`,
  );
}
