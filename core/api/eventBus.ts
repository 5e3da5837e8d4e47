import type { CoreEvent } from '../contract/protocol.ts';

export type Listener = (event: CoreEvent) => void;

export interface EventBus {
  emit: Listener;
  /** Returns a function that ends the subscription. */
  subscribe(listener: Listener): () => void;
}

/** Tells every listener of every event, at once and in order. */
export function createEventBus(): EventBus {
  const listeners = new Set<Listener>();
  return {
    emit: (event) => {
      for (const listener of [...listeners]) {
        try {
          listener(event);
        } catch (error) {
          // A listener's mistake must not stop a run, and must not stay unseen either.
          process.emitWarning(error instanceof Error ? error : new Error(String(error)));
        }
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
