/** A run's log as it is read and as it goes on: pure functions over its lines. */
import type { LogEntry } from '../../../core/contract/records.ts';

export const levels = ['info', 'warning', 'error'] as const;
export type Level = LogEntry['level'];

/**
 * What was read, followed by what was heard meanwhile and is not in it yet: an event may tell of a
 * line that was read as well.
 */
export function joined(read: readonly LogEntry[], heard: readonly LogEntry[]): LogEntry[] {
  const known = new Set(read.map(keyOf));
  return [...read, ...heard.filter((line) => !known.has(keyOf(line)))];
}

const keyOf = ({ time, level, message }: LogEntry): string => `${time} ${level} ${message}`;

/** The lines of at least that level. */
export function atLeast(lines: readonly LogEntry[], level: Level): readonly LogEntry[] {
  const lowest = levels.indexOf(level);
  return lowest === 0 ? lines : lines.filter((line) => levels.indexOf(line.level) >= lowest);
}

/** As text, one line each, with the time as it is recorded. */
export function asText(lines: readonly LogEntry[]): string {
  return lines.map(({ time, level, message }) => `${time} ${level} ${message}`).join('\n');
}
