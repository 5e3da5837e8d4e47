/** The disk fills up while a run trains. Needs root, to mount a small file system of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Run } from '../contract/records.ts';
import { inspectCheckpoint } from '../train/checkpoint.ts';
import { openCore, type Core } from './openCore.ts';
import { temporaryHome, tinyConfig, untilRun } from './testing/tinyRun.ts';

/** Why this cannot be tried here, or false. */
function obstacle(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'Only root can mount a tmpfs.';
  const { home, remove } = temporaryHome();
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', home], { stdio: 'ignore' });
    execFileSync('umount', [home]);
    return false;
  } catch {
    return 'This root may not mount a tmpfs.';
  } finally {
    remove();
  }
}

/** Writes zeros until nothing more fits. */
function fill(path: string): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const bytes of [2 ** 16, 2 ** 12, 1]) {
      const block = Buffer.alloc(bytes);
      try {
        for (;;) writeSync(descriptor, block);
      } catch {
        // Full for blocks of this size.
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Resolves when the run has its first checkpoint. */
function checkpointed(core: Core, runId: string): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const end = core.subscribe((event) => {
    if (event.type === 'run-checkpoint' && event.checkpoint.runId === runId) resolve(undefined);
  });
  return promise.finally(end);
}

/** Resolves with the run as its `failed` event tells it, recorded or not. */
function untilFailed(core: Core, runId: string): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  const end = core.subscribe((event) => {
    if (event.type === 'run-changed' && event.run.id === runId && event.run.status === 'failed')
      resolve(event.run);
  });
  return promise.finally(end);
}

describe('a full disk', { skip: obstacle(), concurrency: false }, () => {
  for (const checkpointEvery of [10, 1_000_000])
    test(`ends the run with a sentence, keeps what was saved, and can be resumed (checkpoints every ${checkpointEvery})`, async () => {
      const { home, remove } = temporaryHome();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', home]);
      try {
        const core = openCore({ home });
        writeFileSync(
          join(home, 'text.txt'),
          'Nothing is lost, only the disk is full.\n'.repeat(200),
        );
        await core.client.call('datasets.import', { path: join(home, 'text.txt'), name: 'text' });
        const { id } = await core.client.call('runs.create', {
          config: tinyConfig({
            steps: 100_000,
            evaluateEvery: 20,
            checkpointEvery,
            keepCheckpoints: 1,
          }),
          dataset: 'text',
          backend: 'cpu',
        });
        await checkpointed(core, id);
        const failing = untilFailed(core, id);
        fill(join(home, 'filler'));
        const failed = await failing;
        assert.equal(failed.error?.code, 'disk-full', failed.error?.message);

        rmSync(join(home, 'filler'));
        await untilRun(core, id, ({ status }) => status === 'failed');
        const checkpoints = join(home, 'runs', id, 'checkpoints');
        const rows = await core.client.call('runs.checkpoints', { run: id });
        assert.ok(rows.length > 0);
        const [header] = rows
          .map(({ folder }) => inspectCheckpoint(checkpoints, folder).header)
          .reverse();

        await core.client.call('runs.resume', { run: id });
        await untilRun(core, id, ({ step }) => step > header.step + 20);
        await core.client.call('runs.stop', { run: id });
        const { steps } = await core.client.call('runs.metrics', { run: id });
        assert.deepEqual(
          steps.map(({ step }) => step),
          steps.map((_, i) => i + 1),
        );
        await core.close();
      } finally {
        execFileSync('umount', ['-l', home]);
        remove();
      }
    });

  test('can be freed by deleting a run', async () => {
    const { home, remove } = temporaryHome();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', home]);
    try {
      const core = openCore({ home });
      const text = join(home, 'text.txt');
      writeFileSync(text, 'Something has to go.\n'.repeat(400));
      const dataset = await core.client.call('datasets.import', { path: text });
      const { id } = await core.client.call('runs.create', {
        config: tinyConfig({ steps: 300 }),
        dataset: dataset.id,
        backend: 'cpu',
      });
      await untilRun(core, id, ({ status }) => status === 'finished');
      fill(join(home, 'filler'));
      const { bytes } = await core.client.call('runs.remove', { run: id });
      assert.ok(bytes > 0);
      assert.deepEqual(await core.client.call('runs.list', {}), []);
      assert.deepEqual(readdirSync(join(home, 'runs')), []);
      await core.close();
    } finally {
      execFileSync('umount', ['-l', home]);
      remove();
    }
  });
});
