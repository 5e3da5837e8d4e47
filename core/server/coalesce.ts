/**
 * Events on their way to one page, made fewer without losing anything: a page gets them a few times a
 * second, whatever the speed of training.
 */
import type { CoreEvent } from '../contract/protocol.ts';

export interface EventCollector {
  add(event: CoreEvent): void;
  /** All collected events, in order; the collector is empty afterwards. */
  take(): CoreEvent[];
  /** Events and single step metrics collected. */
  readonly size: number;
}

/**
 * Steps of a run and text of a sample are joined where their first part stood, of an import's progress
 * only the latest stays, and of a run's states only the last one, at its own place. Everything else
 * keeps its order, and nothing is joined across a rewind or the end of an import: what came before is
 * not what comes after.
 */
export function createEventCollector(): EventCollector {
  // By what may be joined. A map keeps the place of a key's first insertion.
  let collected = new Map<string, CoreEvent>();
  let size = 0;
  let stretch = 0;
  let serial = 0;

  const remove = (key: string): void => {
    const event = collected.get(key);
    if (event === undefined) return;
    size -= weight(event);
    collected.delete(key);
  };
  const put = (key: string, event: CoreEvent): void => {
    const before = collected.get(key);
    size += weight(event) - (before === undefined ? 0 : weight(before));
    collected.set(key, event);
  };

  const add = (event: CoreEvent): void => {
    switch (event.type) {
      case 'run-changed': {
        const key = `changed ${event.run.id}`;
        remove(key);
        put(key, event);
        return;
      }
      case 'run-steps': {
        const key = `steps ${stretch} ${event.runId}`;
        const before = collected.get(key);
        if (before?.type !== 'run-steps') put(key, { ...event, steps: [...event.steps] });
        else {
          // The copy made above is ours, so it can grow in place.
          for (const step of event.steps) before.steps.push(step);
          size += event.steps.length;
        }
        return;
      }
      case 'import-progress':
        put(`import ${stretch} ${event.path}`, event);
        return;
      case 'sample-token': {
        const key = `sample ${stretch} ${event.runId}`;
        const before = collected.get(key);
        const text = before?.type === 'sample-token' ? before.text : '';
        put(key, { ...event, text: text + event.text });
        return;
      }
      case 'run-removed':
        for (const [key, other] of collected) if (runOf(other) === event.runId) remove(key);
        break;
      case 'run-rewound':
      case 'import-ended':
        stretch += 1;
        break;
      default:
    }
    put(`single ${serial++}`, event);
  };

  return {
    add,
    take: () => {
      const events = [...collected.values()];
      collected = new Map();
      size = 0;
      return events;
    },
    get size() {
      return size;
    },
  };
}

/** What an event counts towards the most that may wait. */
function weight(event: CoreEvent): number {
  return event.type === 'run-steps' ? event.steps.length : 1;
}

function runOf(event: CoreEvent): string | undefined {
  if (event.type === 'run-changed') return event.run.id;
  if (event.type === 'run-checkpoint') return event.checkpoint.runId;
  return 'runId' in event ? event.runId : undefined;
}
