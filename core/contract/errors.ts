/**
 * The one error that crosses layers and transports. Its message says what was wrong, with which
 * value, and what would be right; the code lets programs tell the cases apart.
 */
export const errorCodes = [
  'invalid-config', // a configuration field or combination is not usable
  'invalid-argument', // any other argument is not usable
  'invalid-data', // a file's content is not what it should be
  'not-found', // no such run, dataset, preset or file
  'conflict', // the thing is in a state that forbids the request (already running, name taken)
  'device-unavailable', // the backend cannot be used on this machine
  'out-of-memory', // the model does not fit the device
  'diverged', // the loss became NaN or infinite
  'checkpoint-damaged', // a checkpoint is missing, truncated or of another shape
  'disk-full',
  'newer-database', // the database was written by a later version
  'interrupted',
  'unsupported', // valid, but this version cannot do it yet
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export class SwitchyardError extends Error {
  readonly code: ErrorCode;

  /** @param message one or two plain sentences: what was wrong, with which value, what would be right. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SwitchyardError';
    this.code = code;
  }
}

/** The form in which an error travels between threads and over a transport. */
export interface ErrorRecord {
  code: ErrorCode;
  message: string;
  stack?: string;
}

/** Turns anything thrown into its travelling form; errors that are not ours become `internal`. */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (error instanceof SwitchyardError) return { code: error.code, message: error.message };
  if (error instanceof Error) {
    return {
      code: 'internal',
      message: error.message,
      ...(error.stack === undefined ? {} : { stack: error.stack }),
    };
  }
  return { code: 'internal', message: String(error) };
}

/** The inverse of {@link toErrorRecord}. */
export function fromErrorRecord(record: ErrorRecord): SwitchyardError {
  const error = new SwitchyardError(record.code, record.message);
  if (record.stack !== undefined) error.stack = record.stack;
  return error;
}
