/** What a core process and its host tell each other over the channel between them. */
import type { ErrorRecord } from '../contract/errors.ts';

/** The first message to a core process: the token is in no argument list and no environment. */
export interface CoreStart {
  type: 'start';
  /** Null: the default data directory. */
  home: string | null;
  /** 0: any free one. */
  port: number;
  /** Whether any free one will do when that one is taken. */
  anyPort: boolean;
  token: string;
  /** Opens the page once without the token; null once a core of this host had it. */
  ticket: string | null;
  /** Why it replaces another core, or null for the first. */
  restarted: string | null;
  /** Whether runs that the other core had queued or running go on by themselves. */
  resume: boolean;
}

export type HostMessage = CoreStart | { type: 'stop' };

export type CoreMessage =
  | { type: 'ready'; port: number; instance: string }
  /** It cannot work, and would not the next time either; it exits with 1. */
  | { type: 'failed'; error: ErrorRecord };
