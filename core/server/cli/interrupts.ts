/** Being asked to end: Ctrl-C, a supervisor's signal, a closed terminal. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls the listener on each of these signals. Returns a function that restores the default behaviour. */
export function onEverySignal(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/**
 * Calls `first` on the first signal; on any later one ends the process at once with `exitCode`.
 * Returns a function that restores the default behaviour.
 */
export function onInterrupt(first: () => void, exitCode: number): () => void {
  let asked = false;
  return onEverySignal(() => {
    if (asked) process.exit(exitCode);
    asked = true;
    first();
  });
}
