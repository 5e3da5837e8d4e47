/** How the benchmark prints what it saw. */

/** `median (lowest to highest)`. */
export function spread(values: readonly number[], digits = 0): string {
  const sorted = values.toSorted((a, b) => a - b);
  const print = (value: number | undefined): string => (value ?? NaN).toFixed(digits);
  const middle = print(sorted[sorted.length >> 1]);
  return `${middle} (${print(sorted[0])} to ${print(sorted.at(-1))})`;
}

export function heading(text: string): void {
  process.stdout.write(`\n## ${text}\n\n`);
}

export function line(label: string, value: string | number): void {
  process.stdout.write(`${label}: ${value}\n`);
}

/** Long tasks in words. */
export function longTasks(tasks: readonly { duration: number }[]): string {
  if (tasks.length === 0) return 'none';
  return `${tasks.length}, ${spread(tasks.map(({ duration }) => duration))} ms`;
}
