/**
 * Keeps a core process alive: a crash in native code takes the core down, never its host. Used by
 * `serve` and by the shell, so it needs nothing but Node's own modules and the contract.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ErrorRecord } from '../contract/errors.ts';
import type { CoreMessage, HostMessage } from './coreMessages.ts';

export type SupervisorState =
  | { state: 'starting' }
  /** `ticket`: opens the page once, as `openPath` of the contract says. */
  | { state: 'serving'; port: number; token: string; ticket: string }
  /** `reason`: how the core ended, as a sentence; `attempt` counts from 1. */
  | { state: 'restarting'; reason: string; attempt: number }
  | { state: 'failed'; error: ErrorRecord }
  | { state: 'stopped' };

export interface SupervisorOptions {
  /** A Node 24 binary. */
  node: string;
  /** Default: `SWITCHYARD_HOME`, else the platform's application-data folder. */
  home?: string;
  /** Default: any free one. A restarted core is at the same one. */
  port?: number;
  /** Whether any free one will do when that one is taken at the first start. */
  anyPort?: boolean;
  /** Default: a new random one. */
  token?: string;
  /** The core process's file. */
  entry?: string;
  onState: (state: SupervisorState) => void;
}

export interface Supervisor {
  /**
   * Lets running runs write checkpoints, ends the core, and resolves once it has ended. Called again
   * meanwhile, or after a minute, it kills the core.
   */
  stop(): Promise<void>;
}

/** Crashes are counted over this long, in milliseconds. */
const countedFor = 10 * 60_000;
/** So many restarts let runs go on; one more only serves, so that people reach their data. */
const restartsWithResume = 3;
const stopPatience = 60_000;

/** Starts a core at once; `onState` is told how it stands, for the first time before this returns. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { node, home, onState } = options;
  const entry = options.entry ?? join(import.meta.dirname, 'coreProcess.ts');
  const token = options.token ?? secret();
  const ticket = secret();
  const ended = Promise.withResolvers<undefined>();
  let port = options.port ?? 0;
  let core: ChildProcess | null = null;
  let waiting: NodeJS.Timeout | undefined;
  let stopping = false;
  let over = false;
  let crashes: number[] = [];

  const end = (state: SupervisorState): void => {
    if (over) return;
    over = true;
    onState(state);
    ended.resolve(undefined);
  };

  const start = (restarted: string | null, resume: boolean): void => {
    const child = spawn(node, [entry], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    core = child;
    let failure: ErrorRecord | null = null;
    child.on('message', (message: CoreMessage) => {
      if (message.type === 'failed') failure = message.error;
      else {
        port = message.port;
        if (!stopping) onState({ state: 'serving', port, token, ticket });
      }
    });
    child.on('error', (error) => {
      // A child that was never there has no exit either.
      if (child.pid === undefined) end({ state: 'failed', error: notStarted(node, error) });
    });
    child.on('exit', (code, signal) => {
      core = null;
      if (failure !== null) end({ state: 'failed', error: failure });
      else if (stopping || code === 0) end({ state: 'stopped' });
      else crashed(howItEnded(code, signal));
    });
    const anyPort = restarted === null && (options.anyPort ?? false);
    tell(child, {
      type: 'start',
      home: home ?? null,
      port,
      anyPort,
      token,
      ticket: restarted === null ? ticket : null,
      restarted,
      resume,
    });
  };

  const crashed = (reason: string): void => {
    const now = performance.now();
    crashes = [...crashes.filter((time) => now - time < countedFor), now];
    const attempt = crashes.length;
    if (attempt > restartsWithResume + 1) {
      end({ state: 'failed', error: crashedTooOften(attempt, reason) });
      return;
    }
    onState({ state: 'restarting', reason, attempt });
    waiting = setTimeout(
      () => start(reason, attempt <= restartsWithResume),
      attempt === 1 ? 200 : 1000,
    );
  };

  onState({ state: 'starting' });
  start(null, false);
  return {
    stop: () => {
      clearTimeout(waiting);
      if (core === null) end({ state: 'stopped' });
      else if (stopping) core.kill('SIGKILL');
      else {
        tell(core, { type: 'stop' });
        const patience = setTimeout(() => core?.kill('SIGKILL'), stopPatience);
        void ended.promise.then(() => clearTimeout(patience));
      }
      stopping = true;
      return ended.promise;
    },
  };
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** A core that has just died cannot be told; its exit follows. */
function tell(core: ChildProcess, message: HostMessage): void {
  if (core.connected) core.send(message, () => undefined);
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null
    ? `The core ended with exit code ${String(code)}.`
    : `The core was ended by the signal ${signal}.`;
}

function notStarted(node: string, error: Error): ErrorRecord {
  const message = `The core cannot be started with ${node}: ${error.message}.`;
  return { code: 'internal', message };
}

function crashedTooOften(times: number, reason: string): ErrorRecord {
  const message = `The core crashed ${times} times within 10 minutes and is not started again. The last time: ${reason} logs/server.log in the data directory may say more.`;
  return { code: 'internal', message };
}
