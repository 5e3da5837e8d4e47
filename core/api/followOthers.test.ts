/** What one core does with a data directory, told by another that has it open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreEvent } from '../contract/protocol.ts';
import { openCore } from './openCore.ts';
import { createTinyRun, importText, temporaryHome, untilRun } from './testing/tinyRun.ts';

type EventOf<T extends CoreEvent['type']> = Extract<CoreEvent, { type: T }>;

test('an open app sees what the command line imports, trains, resumes and deletes', async () => {
  const { home, remove } = temporaryHome();
  const app = openCore({ home, followOthers: true });
  const other = openCore({ home });
  const events: CoreEvent[] = [];
  let seen = Promise.withResolvers<undefined>();
  app.subscribe((event) => {
    events.push(event);
    seen.resolve(undefined);
    seen = Promise.withResolvers<undefined>();
  });
  const of = <T extends CoreEvent['type']>(type: T): EventOf<T>[] =>
    events.filter((event): event is EventOf<T> => event.type === type);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await seen.promise;
  };

  const dataset = await importText(other);
  await until(() => of('dataset-changed').some(({ dataset: { id } }) => id === dataset.id));
  const { id } = await createTinyRun(other, { steps: 60, evaluateEvery: 20, checkpointEvery: 25 });
  await untilRun(other, id, ({ status }) => status === 'finished');
  await until(() => of('run-changed').some(({ run }) => run.status === 'finished'));
  assert.deepEqual(
    of('run-steps').flatMap(({ steps }) => steps.map(({ step }) => step)),
    Array.from({ length: 60 }, (_, index) => index + 1),
    'every step once',
  );
  assert.deepEqual(
    of('run-validation').map(({ validation }) => validation.step),
    [20, 40, 60],
  );

  await other.client.call('runs.remove', { run: id });
  await until(() => of('run-removed').length > 0);
  await other.client.call('datasets.remove', { dataset: dataset.id });
  await until(() => of('dataset-removed').length > 0);
  await other.close();
  await app.close();
  remove();
});

test('what the core does itself is told once', async () => {
  const { home, remove } = temporaryHome();
  const app = openCore({ home, followOthers: true });
  const other = openCore({ home });
  const steps: number[] = [];
  app.subscribe((event) => {
    if (event.type === 'run-steps') steps.push(...event.steps.map(({ step }) => step));
  });
  await importText(app);
  const { id } = await createTinyRun(app, { steps: 400, evaluateEvery: 400 });
  // The other one writes meanwhile, so that this one looks.
  for (const note of ['a', 'b', 'c', 'd']) {
    await untilRun(app, id, ({ step }) => step >= (steps.at(-1) ?? 0));
    await other.client.call('runs.update', { run: id, note });
  }
  await untilRun(app, id, ({ status }) => status === 'finished');
  // And once more after it has ended.
  const looked = Promise.withResolvers<undefined>();
  app.subscribe((event) => {
    if (event.type === 'run-changed' && event.run.note === 'e') looked.resolve(undefined);
  });
  await other.client.call('runs.update', { run: id, note: 'e' });
  await looked.promise;
  assert.deepEqual(
    steps,
    Array.from({ length: 400 }, (_, index) => index + 1),
  );
  await other.close();
  await app.close();
  remove();
});
