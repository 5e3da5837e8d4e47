/** What a page is told in fewer words, and that nothing is lost or told in a misleading order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreEvent } from '../contract/protocol.ts';
import type { Run, StepMetric } from '../contract/records.ts';
import { createEventCollector } from './coalesce.ts';

const step = (number: number): StepMetric => ({
  step: number,
  loss: 1,
  gradientNorm: 1,
  learningRate: 1,
  milliseconds: 1,
  tokens: number,
  tensorBytes: 1,
  rssBytes: 1,
  elapsedSeconds: number,
});
const steps = (runId: string, ...numbers: number[]): CoreEvent => ({
  type: 'run-steps',
  runId,
  steps: numbers.map(step),
});
const changed = (id: string, at: number): CoreEvent => ({
  type: 'run-changed',
  run: { id, step: at } as Run,
});
const rewound = (runId: string, to: number): CoreEvent => ({
  type: 'run-rewound',
  runId,
  step: to,
});
const validation = (runId: string, at: number): CoreEvent => ({
  type: 'run-validation',
  runId,
  validation: { step: at, loss: 1, accuracy: null, tokens: 1, milliseconds: 1 },
});
const progress = (path: string, done: number): CoreEvent => ({
  type: 'import-progress',
  path,
  stage: 'reading',
  done,
  total: 10,
});

/** What comes out, written short. */
function collected(...events: CoreEvent[]): string[] {
  const collector = createEventCollector();
  for (const event of events) collector.add(event);
  return collector.take().map((event) => {
    switch (event.type) {
      case 'run-steps':
        return `${event.runId} steps ${event.steps.map((metric) => metric.step).join()}`;
      case 'run-changed':
        return `${event.run.id} changed ${event.run.step}`;
      case 'run-rewound':
        return `${event.runId} rewound ${event.step}`;
      case 'run-validation':
        return `${event.runId} validation ${event.validation.step}`;
      case 'import-progress':
        return `${event.path} ${event.done}`;
      case 'import-ended':
        return `${event.path} ended`;
      case 'sample-token':
        return `${event.runId} says ${event.text}`;
      case 'run-removed':
        return `${event.runId} removed`;
      default:
        return event.type;
    }
  });
}

test('steps of a run are joined at their first place, runs apart', () => {
  assert.deepEqual(
    collected(steps('a', 1), steps('b', 1), steps('a', 2, 3), validation('a', 3), steps('a', 4)),
    ['a steps 1,2,3,4', 'b steps 1', 'a validation 3'],
  );
});

test('steps before and after a rewind stay on their sides of it', () => {
  assert.deepEqual(collected(steps('a', 8, 9), rewound('a', 5), steps('a', 6), steps('a', 7)), [
    'a steps 8,9',
    'a rewound 5',
    'a steps 6,7',
  ]);
});

test('only the last state of a run stays, at its own place', () => {
  assert.deepEqual(collected(changed('a', 1), steps('a', 1), changed('b', 0), changed('a', 2)), [
    'a steps 1',
    'b changed 0',
    'a changed 2',
  ]);
});

test('what was said of a run before its removal is not told any more', () => {
  assert.deepEqual(
    collected(changed('a', 1), steps('a', 1), changed('b', 1), { type: 'run-removed', runId: 'a' }),
    ['b changed 1', 'a removed'],
  );
});

test('an import’s latest progress stays, but not across its end', () => {
  assert.deepEqual(
    collected(
      progress('x', 1),
      progress('x', 5),
      { type: 'import-ended', path: 'x' },
      progress('x', 2),
    ),
    ['x 5', 'x ended', 'x 2'],
  );
});

test('the text of a sample is joined', () => {
  const token = (text: string): CoreEvent => ({ type: 'sample-token', runId: 'a', text });
  assert.deepEqual(collected(token('To be'), changed('b', 1), token(', or')), [
    'a says To be, or',
    'b changed 1',
  ]);
});

test('the size counts single steps, and the events of others are not touched', () => {
  const collector = createEventCollector();
  const shared = steps('a', 1, 2);
  collector.add(shared);
  collector.add(steps('a', 3));
  collector.add(changed('a', 3));
  collector.add(changed('a', 4));
  assert.equal(collector.size, 4);
  assert.equal(shared.type === 'run-steps' && shared.steps.length, 2);
  collector.take();
  assert.equal(collector.size, 0);
  assert.deepEqual(collector.take(), []);
});
