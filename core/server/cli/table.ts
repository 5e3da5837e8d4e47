/** Aligned tables in plain text. Columns of numbers align right; nothing is drawn but one rule. */
import type { Paint } from './output.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** Rows of text under their titles, with two spaces between columns and a rule under the head. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...rows.map((row) => width(row[index] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join('  ')
      .trimEnd();
  const rule = widths.map((cells) => '─'.repeat(cells)).join('  ');
  return [
    paint('bold', line(columns.map(({ title }) => title))),
    paint('dim', rule),
    ...rows.map(line),
  ];
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
