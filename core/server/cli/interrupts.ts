/** Being asked to end: Ctrl-C, a supervisor's signal, a closed terminal. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `first` on the first signal; on any later one ends the process at once with `exitCode`.
 * Returns a function that restores the default behaviour.
 */
export function onInterrupt(first: () => void, exitCode: number): () => void {
  let asked = false;
  const listener = (): void => {
    if (asked) process.exit(exitCode);
    asked = true;
    first();
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
