/** Which notices stand together, and when they have outlived their cause. */
import type { ErrorRecord } from '../../core/contract/errors.ts';

export interface Notice {
  id: number;
  kind: 'done' | 'caution' | 'failed';
  text: string;
  /** Of a failure, for copying. */
  error?: ErrorRecord;
  action?: { label: string; run: () => void };
  /** How often it was said. */
  times: number;
  /** When it was said last, in milliseconds since the epoch. */
  at: number;
}

/** More would cover what they speak of. */
const most = 3;
/** What failed this shortly before a screen opened, in milliseconds, failed on the way there. */
const fresh = 1000;

/** The same failure again counts up; of too many, the oldest go. */
export function addNotice(list: readonly Notice[], added: Notice): readonly Notice[] {
  const same = list.find(({ kind, text }) => kind === 'failed' && text === added.text);
  const times = added.kind === 'failed' && same !== undefined ? same.times + 1 : 1;
  const others = times > 1 ? list.filter((notice) => notice !== same) : list;
  return [...others, { ...added, times }].slice(-most);
}

/** Failures and cautions stay on the screen where they came up. */
export function afterNavigation(list: readonly Notice[], now: number): readonly Notice[] {
  return list.filter(({ kind, at }) => kind === 'done' || now - at < fresh);
}

/** A lost connection is no news once there is one again. */
export function afterReturn(list: readonly Notice[]): readonly Notice[] {
  return list.filter(({ error }) => error?.code !== 'interrupted');
}
