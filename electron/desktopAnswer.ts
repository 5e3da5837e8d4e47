/**
 * How an answer travels from the main process to the preload script. Electron would put its own words
 * before the sentence of an error that a handler throws.
 */
import { fromErrorRecord, toErrorRecord, type ErrorRecord } from '../core/contract/errors.ts';

export type DesktopAnswer = { value: unknown } | { error: ErrorRecord };

/** Runs a handler and packs what it returns or throws. */
export async function packAnswer(handler: () => unknown): Promise<DesktopAnswer> {
  try {
    return { value: await handler() };
  } catch (error) {
    return { error: toErrorRecord(error) };
  }
}

/**
 * The inverse of {@link packAnswer}.
 * @throws SwitchyardError what the handler threw
 */
export function unpackAnswer(answer: DesktopAnswer): unknown {
  if ('error' in answer) throw fromErrorRecord(answer.error);
  return answer.value;
}
