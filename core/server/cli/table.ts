/** Aligned tables in plain text. Columns of numbers align right; nothing is drawn but one rule. */
import type { Paint } from './output.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** Left out, the rightmost first, where the table would not fit. */
  optional?: boolean;
}

/**
 * Rows of text under their titles, with two spaces between columns and a rule under the head.
 * @param room columns of the terminal
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  room = Infinity,
): string[] {
  const all = columns.map(({ title, align = 'left', optional = false }, index) => {
    const cells = [title, ...rows.map((row) => oneLine(row[index] ?? ''))];
    return { align, optional, cells, width: Math.max(...cells.map(width)) };
  });
  const shown = fitting(all, room);
  const line = (row: number): string =>
    shown
      .map(({ align, cells, width: to }) => pad(cells[row] ?? '', to, align))
      .join('  ')
      .trimEnd();
  const rule = shown.map((column) => '─'.repeat(column.width)).join('  ');
  return [
    paint('bold', line(0)),
    paint('dim', rule),
    ...rows.map((_row, index) => line(index + 1)),
  ];
}

/** The columns without as many of the optional ones, from the right, as do not fit. */
function fitting<C extends { optional: boolean; width: number }>(
  columns: readonly C[],
  room: number,
): readonly C[] {
  const needed = columns.reduce((sum, column) => sum + column.width + 2, -2);
  const last = columns.findLastIndex(({ optional }) => optional);
  return needed <= room || last < 0 ? columns : fitting(columns.toSpliced(last, 1), room);
}

/** A name in one line: control characters, which file names may hold, must not reach a terminal. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/** Names beside values, the values aligned. */
export function pairs(entries: readonly (readonly [string, string])[], paint: Paint): string[] {
  const widest = Math.max(...entries.map(([name]) => width(name)));
  return entries.map(([name, value]) => `${paint('dim', pad(name, widest, 'left'))}  ${value}`);
}

function pad(text: string, to: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, to - width(text)));
  return align === 'left' ? text + space : space + text;
}

/** Characters shown: names may hold any letter, and each counts as one column. */
export function width(text: string): number {
  return [...text].length;
}
