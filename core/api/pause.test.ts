/** Pausing real runs: what it writes, what it holds, and that it changes nothing of what is learned. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CoreEvent } from '../contract/protocol.ts';
import { openCore, type Core } from './openCore.ts';
import {
  createTinyRun,
  curve,
  importText,
  temporaryHome,
  untilEnded,
  untilRun,
} from './testing/tinyRun.ts';

describe('pausing', { concurrency: false }, () => {
  const { home, remove } = temporaryHome();
  const training = { steps: 60, checkpointEvery: 60, evaluateEvery: 20 };
  let core: Core;
  before(async () => {
    core = openCore({ home });
    await importText(core);
  });
  after(async () => {
    await core.close();
    remove();
  });
  const pause = (run: string) => core.client.call('runs.pause', { run });
  const resume = (run: string) => core.client.call('runs.resume', { run });
  const startPaused = async (name: string, steps = 60) => {
    const { id } = await createTinyRun(core, { ...training, steps }, name);
    await untilRun(core, id, ({ status }) => status === 'running');
    return pause(id);
  };

  test('a run that is paused and resumed has the curve of one that was not', async () => {
    const whole = await createTinyRun(core, training, 'whole');
    await untilEnded(core, whole.id);
    const seen: string[] = [];
    const end = core.subscribe((event) => {
      if (event.type === 'run-changed' && event.run.name === 'paused') seen.push(event.run.status);
    });
    const paused = await startPaused('paused');
    assert.equal(paused.status, 'paused');
    assert.ok(paused.step >= 1 && paused.step < 60, `paused at step ${paused.step}`);
    const checkpoints = await core.client.call('runs.checkpoints', { run: paused.id });
    assert.equal(checkpoints.at(-1)?.step, paused.step);
    await assert.rejects(pause(paused.id), { code: 'conflict', message: /is paused already\.$/ });
    const waiting = await createTinyRun(core, { steps: 2, warmup: 0 }, 'waiting');
    assert.equal(waiting.status, 'queued', 'a paused run keeps its device');

    assert.equal((await resume(paused.id)).status, 'running');
    assert.equal((await untilEnded(core, paused.id)).status, 'finished');
    end();
    assert.deepEqual(
      seen.filter((status, i) => status !== seen[i - 1]),
      ['queued', 'running', 'paused', 'running', 'finished'],
    );
    assert.deepEqual(await curve(core, paused.id), await curve(core, whole.id));
    await untilEnded(core, waiting.id);
  });

  test('a paused run can be stopped, and resumed from its checkpoint', async () => {
    const paused = await startPaused('stopped');
    const stopped = await core.client.call('runs.stop', { run: paused.id });
    assert.deepEqual([stopped.status, stopped.step], ['stopped', paused.step]);
    const rewound: CoreEvent[] = [];
    const end = core.subscribe((event) => {
      if (event.type === 'run-rewound') rewound.push(event);
    });
    await resume(paused.id);
    end();
    assert.deepEqual(rewound, [{ type: 'run-rewound', runId: paused.id, step: paused.step }]);
    await untilEnded(core, paused.id);
    assert.deepEqual(await curve(core, paused.id), await curve(core, 'whole'));
  });

  test('what does not run cannot be paused, and the sentence says what to do instead', async () => {
    const busy = await startPaused('busy');
    const queued = await createTinyRun(core, training, 'queued');
    await assert.rejects(pause(queued.id), {
      code: 'conflict',
      message: /is queued and has nothing to pause yet; stop it instead/,
    });
    for (const method of ['runs.remove', 'runs.removeCheckpoints'] as const)
      await assert.rejects(
        core.call(method, {
          run: busy.id,
          ...(method === 'runs.removeCheckpoints' ? { steps: [busy.step] } : {}),
        }),
        { code: 'conflict', message: /is paused and cannot .*Stop it first/ },
      );
    await core.client.call('runs.stop', { run: queued.id });
    await core.client.call('runs.stop', { run: busy.id });
    await assert.rejects(pause(busy.id), /is stopped already; there is nothing to pause/);
  });

  test('a pause that is overtaken by a stop or the end returns the run as it then is', async () => {
    const { id } = await createTinyRun(core, { ...training, steps: 5000 }, 'overtaken');
    await untilRun(core, id, ({ status }) => status === 'running');
    const [stopped, paused] = await Promise.all([
      core.client.call('runs.stop', { run: id }),
      pause(id),
    ]);
    assert.deepEqual([stopped.status, paused.status], ['stopped', 'stopped']);
  });

  test('another core over the same folder neither pauses nor resumes the run', async () => {
    const { id } = await createTinyRun(core, { ...training, steps: 5000 }, 'elsewhere');
    await untilRun(core, id, ({ status }) => status === 'running');
    const other = openCore({ home });
    await assert.rejects(other.client.call('runs.pause', { run: id }), {
      code: 'conflict',
      message: /is running in another process; pause it there/,
    });
    await pause(id);
    await assert.rejects(other.client.call('runs.resume', { run: id }), {
      code: 'conflict',
      message: /is already paused/,
    });
    await other.close();
    assert.equal((await core.client.call('runs.get', { run: id })).status, 'paused');
  });

  test('closing ends a paused run as stopped, with nothing lost', async () => {
    const [paused] = await core.client.call('runs.list', {});
    assert.equal(paused.status, 'paused');
    await core.close();
    core = openCore({ home });
    const run = await core.client.call('runs.get', { run: paused.id });
    assert.deepEqual([run.status, run.step], ['stopped', paused.step]);
    assert.deepEqual(core.recovered, []);
  });
});
