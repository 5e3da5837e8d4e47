/**
 * What travels between a page (or the shell) and the server: JSON text frames over one WebSocket.
 * Uploads and downloads are plain HTTP beside it, with the same token as a bearer.
 */
import type { ErrorRecord } from './errors.ts';
import type { CoreEvent } from './protocol.ts';

/**
 * The subprotocol that the server answers with. A page asks for this one and, because it cannot set
 * headers, for its token as a second one.
 */
export const subprotocol = 'switchyard.1';

/** Longest frame that the server reads, in bytes. */
export const longestFrame = 4 * 2 ** 20;

/** `id` is the caller's and comes back in the answer. */
export type ClientFrame = { id: number; method: string; input: unknown } | { cancel: number };

export type ServerFrame =
  /** The first frame of every connection. */
  | { hello: Hello }
  | { id: number; result: unknown }
  | { id: number; error: ErrorRecord }
  | { events: CoreEvent[] };

export interface Hello {
  /** Different each time a core starts: whoever sees a new one must read everything anew. */
  instance: string;
  version: string;
  /** The data directory. */
  home: string;
  /** As Node names it: `linux`, `darwin`, `win32`. */
  platform: string;
  /** Path of a text to try things on, which comes with Switchyard; null where it was removed. */
  sample: string | null;
  /** Why this core was started, when it replaces one that ended unexpectedly; else null. */
  restarted: string | null;
}

/** Why the server ended a connection, as WebSocket close codes. */
export const closeCodes = {
  /** The core is going away for good: somebody stopped it. */
  stopped: 4000,
  /** The page read too slowly; it should connect again and read everything anew. */
  tooSlow: 4001,
  /** Frames that are not of this protocol. */
  malformed: 4002,
} as const;

/** `POST` with the file as the body; `?name=` is its name. Answers with `Uploaded`, or an `ErrorRecord`. */
export const uploadPath = '/uploads';
export interface Uploaded {
  /** For `datasets.import`. */
  upload: string;
  /** Where it lies until it is imported: the path in its `import-progress` events. */
  path: string;
  bytes: number;
}

/** `GET /exports/<name>/<file>`: a file of an `ExportRecord`. */
export const exportPath = '/exports';

/**
 * `GET` with the core's `?ticket=` redirects to the page with its token in the fragment, once. It is for
 * starting a browser: the address is in an argument list, which others on the machine can read.
 */
export const openPath = '/open';

/** `GET` answers 204 where the token is right and 401 where it is not. */
export const sessionPath = '/session';
