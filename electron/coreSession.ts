/**
 * The core as the shell has it: a supervised process and the shell's own connection to it, which
 * feeds the watch over runs. Both start over by themselves when the core crashes.
 */
import type { ErrorRecord } from '../core/contract/errors.ts';
import type { Client, CoreEvent } from '../core/contract/protocol.ts';
import type { ConnectionState } from '../core/contract/socketTransport.ts';
import type { Run } from '../core/contract/records.ts';
import type { CoreConnection } from './coreConnection.ts';

export interface CoreAddress {
  readonly port: number;
  readonly token: string;
}

/** What a supervisor reports. */
export type CoreState =
  | { state: 'starting' }
  | ({ state: 'serving' } & CoreAddress)
  | { state: 'restarting'; reason: string; attempt: number }
  | { state: 'failed'; error: ErrorRecord }
  | { state: 'stopped' };

export interface CoreSessionParts {
  start(onState: (state: CoreState) => void): { stop(): Promise<void> };
  connect(core: CoreAddress, onState: (state: ConnectionState) => void): CoreConnection;
  log(line: string): void;
}

export interface CoreListener {
  /** The core is at a new address. */
  onAddress(address: CoreAddress): void;
  onFailed(error: ErrorRecord): void;
  /** It ended, by our `stop` or because somebody else asked it to. */
  onStopped(): void;
  onConnected(client: Client): void;
  /** All runs, after each connection. */
  onRuns(runs: Run[]): void;
  onEvent(event: CoreEvent): void;
}

export interface CoreSession {
  /** Tells of the core from now on, beginning with where it stands. */
  follow(listener: CoreListener): void;
  /** Null until the core is followed and serves. */
  client(): Client | null;
  /** The data directory, once the core has said it. */
  home(): string | null;
  /** Ends the core with checkpoints; called again meanwhile, ends it at once. */
  stop(): Promise<void>;
}

/** Starts the core at once, so that it gets ready while the app does. */
export function startCoreSession(parts: CoreSessionParts): CoreSession {
  let latest: CoreState = { state: 'starting' };
  let listener: CoreListener | null = null;
  let address: CoreAddress | null = null;
  let connection: CoreConnection | null = null;
  let home: string | null = null;

  const readRuns = async (client: Client): Promise<void> => {
    try {
      const runs = await client.call('runs.list', {});
      listener?.onRuns(runs);
    } catch (error) {
      // The connection is gone again; the next one asks anew.
      parts.log(`The runs could not be read: ${String(error)}`);
    }
  };

  const serve = (told: CoreListener, { port, token }: CoreAddress): void => {
    // After a crash it comes back at the same place, and connections find it by themselves.
    if (address?.port === port && address.token === token) return;
    address = { port, token };
    connection?.close();
    const opened = parts.connect(address, (state) => {
      if (state.state !== 'connected') return;
      home = state.hello.home;
      told.onConnected(opened.client);
      void readRuns(opened.client);
    });
    opened.client.subscribe((event) => told.onEvent(event));
    connection = opened;
    told.onAddress(address);
  };

  const report = (): void => {
    if (listener === null) return;
    if (latest.state === 'serving') serve(listener, latest);
    else if (latest.state === 'failed') listener.onFailed(latest.error);
    else if (latest.state === 'stopped') listener.onStopped();
  };

  const supervisor = parts.start((state) => {
    latest = state;
    if (state.state === 'restarting')
      parts.log(`The core ended unexpectedly and is started again: ${state.reason}`);
    report();
  });
  return {
    follow: (told) => {
      listener = told;
      report();
    },
    client: () => connection?.client ?? null,
    home: () => home,
    stop: () => supervisor.stop(),
  };
}
