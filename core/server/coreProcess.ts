/**
 * The core as a process of its own, started by a supervisor with a channel. It serves until it is told
 * to stop, the channel closes, or a signal comes; then running runs write checkpoints first.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openCore, type Core } from '../api/openCore.ts';
import { SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import type { CoreMessage, CoreStart, HostMessage } from './coreMessages.ts';
import { serveCore, type Served, type ServeOptions } from './listen.ts';
import { openServerLog, type Log } from './log.ts';

const renderer = join(import.meta.dirname, '..', '..', 'dist', 'renderer');
/** Exit code after an exception that nobody caught: `EX_SOFTWARE`. */
const faultExit = 70;
/** How long the port of a core that has just crashed may stay taken, in milliseconds. */
const portPatience = 5000;

/** Until the log is open. */
let log: Log = (level, message) => void process.stderr.write(`${level}: ${message}\n`);
const stopping = Promise.withResolvers<undefined>();
const stop = (): void => stopping.resolve(undefined);

// TensorFlow's information lines are not ours; its library reads the variable of the process.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
// Whoever read these may have gone; there is the log.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
for (const kind of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(kind, (error: unknown) => {
    log('error', `Ended by an error that nobody caught: ${describe(error)}`);
    process.exit(faultExit);
  });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
process.on('disconnect', stop);
process.on('message', (message: HostMessage) => {
  if (message.type === 'stop') stop();
  else void run(message);
});

function describe(error: unknown): string {
  const { stack, message } = toErrorRecord(error);
  return stack ?? message;
}

function tell(message: CoreMessage): Promise<void> {
  return new Promise((resolve) => {
    // Without a channel there is nobody to tell, and `disconnect` ends this process.
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

async function run(start: CoreStart): Promise<void> {
  let core: Core | undefined;
  let served: Served;
  const instance = randomUUID();
  try {
    core = openCore({ followOthers: true, ...(start.home === null ? {} : { home: start.home }) });
    log = openServerLog(join(core.home, 'logs'));
    const { token, ticket, port } = start;
    const restarted =
      start.restarted === null ? null : restartSentence(start.restarted, start, core);
    const options = { core, token, ticket, port, renderer, instance, restarted, log };
    served = await listenPatiently(options, start.anyPort);
  } catch (error) {
    await core?.close();
    if (!(error instanceof SwitchyardError)) throw error;
    if (core !== undefined) log('error', error.message); // Else there is no log, and the host says it.
    await tell({ type: 'failed', error: toErrorRecord(error) });
    process.exit(1);
  }
  log('info', `Version ${core.version} serves on port ${served.port}, process ${process.pid}.`);
  if (start.restarted !== null) log('warning', `It replaces a core: ${start.restarted}`);
  await tell({ type: 'ready', port: served.port, instance });
  if (start.resume) await resumeRecovered(core);

  await stopping.promise;
  log('info', 'Stopping.');
  served.refuseNew();
  await core.close();
  await served.close();
  process.exit(0);
}

/** For people: how the core before this one ended, and what that means for its runs. */
function restartSentence(reason: string, { resume }: CoreStart, { recovered }: Core): string {
  const paused = recovered.some(({ was }) => was === 'paused');
  const runs = resume
    ? `What was training goes on from its last checkpoint.${paused ? ' What was paused waits to be resumed.' : ''}`
    : 'It has ended like this several times, so runs were not resumed by themselves; resume them one by one.';
  return `${reason} It was started again. ${runs}`;
}

async function listenPatiently(options: ServeOptions, anyPort: boolean): Promise<Served> {
  const patience = options.restarted === null ? 0 : portPatience;
  const until = performance.now() + patience;
  for (;;) {
    try {
      return await serveCore(options);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EADDRINUSE' && performance.now() < until) await delay(100);
      else if (code === 'EADDRINUSE' && anyPort) return serveCore({ ...options, port: 0 });
      else throw portError(error, code, options.port);
    }
  }
}

function portError(error: unknown, code: unknown, port: number): unknown {
  if (code === 'EADDRINUSE')
    return new SwitchyardError(
      'conflict',
      `Port ${port} is taken by another program. Choose another one, or 0 for any free one.`,
    );
  if (code === 'EACCES')
    return new SwitchyardError(
      'invalid-argument',
      `Port ${port} may not be used without special permission. Choose one from 1024 up.`,
    );
  return error;
}

/** Runs that a crash cut off go on, oldest first; one that cannot does not hold up the others. */
async function resumeRecovered(core: Core): Promise<void> {
  const ids = new Set(core.recovered.filter(({ was }) => was !== 'paused').map(({ id }) => id));
  const runs = await core.client.call('runs.list', {});
  const cutOff = runs
    .filter(({ id }) => ids.has(id))
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  for (const { id } of cutOff) {
    try {
      await core.client.call('runs.resume', { run: id });
      log('info', `Run ${id} goes on.`);
    } catch (error) {
      log('error', `Run ${id} could not be resumed: ${toErrorRecord(error).message}`);
    }
  }
}
