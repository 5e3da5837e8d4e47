/** A kill between a checkpoint's last byte and the recording of what led to it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openStore, type Store } from '../store/database.ts';
import { openCore, type Core } from './openCore.ts';
import { createTinyRun, curve, importText, temporaryHome, untilEnded } from './testing/tinyRun.ts';

describe('a checkpoint is on disk, but not everything up to it is in the database', () => {
  const { home, remove } = temporaryHome();
  let core: Core;
  let store: Store;
  before(async () => {
    core = openCore({ home });
    store = openStore(join(home, 'switchyard.db'));
    await importText(core);
  });
  after(async () => {
    store.close();
    await core.close();
    remove();
  });

  /** A run of 20 steps, validated at 10 and 20, whose records end after step 19. */
  async function killedBeforeStep20(keepCheckpoints: number) {
    const { id } = await createTinyRun(core, { keepCheckpoints });
    assert.equal((await untilEnded(core, id)).bestStep, 20);
    const whole = await curve(core, id);
    const { steps } = store.metrics.read(id, 20);
    store.metrics.removeAfter(id, 19);
    store.runs.claim(id);
    store.runs.finish(id, { status: 'interrupted' });
    return { id, whole, lastStep: steps[0] };
  }

  test('its step was recorded and its validation not: the run goes on from the one before it', async () => {
    const { id, whole, lastStep } = await killedBeforeStep20(4);
    store.metrics.append(id, [lastStep], []);
    await core.client.call('runs.resume', { run: id });
    assert.equal((await untilEnded(core, id)).bestStep, 20);
    assert.deepEqual(await curve(core, id), whole);
  });

  test('it is the only one and the best: it is still the best after resuming from it', async () => {
    const { id } = await killedBeforeStep20(1);
    await core.client.call('runs.resume', { run: id });
    await untilEnded(core, id);
    const rows = await core.client.call('runs.checkpoints', { run: id });
    assert.deepEqual(
      rows.map(({ step, best }) => ({ step, best })),
      [{ step: 20, best: true }],
    );
  });
});
