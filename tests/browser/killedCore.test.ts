/**
 * The core killed while it trains: the page says so, the core comes back by itself on the same address,
 * the run goes on, and its history is as if nothing had happened. Real processes, a real kill.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../core/contract/protocol.ts';
import type { Run } from '../../core/contract/records.ts';
import {
  closeBrowser,
  connectTo,
  noBrowser,
  openPage,
  runEnded,
  sampleText,
  serveApp,
  type OpenPage,
  type ServedApp,
} from './app.ts';

let app: ServedApp;
let opened: OpenPage;
let client: Client;
let close: () => void;

before(async () => {
  if (noBrowser !== false) return;
  app = await serveApp();
  ({ client, close } = await connectTo(app.url));
  opened = await openPage(app.url);
});
after(async () => {
  if (noBrowser !== false) return;
  close();
  await opened.close();
  await closeBrowser();
  await app.stop();
});

/** The process of the core that serves now, from its log. */
function corePid(): number {
  const log = readFileSync(join(app.home, 'logs', 'server.log'), 'utf8');
  return Number([...log.matchAll(/process (\d+)\.$/gmu)].at(-1)?.[1]);
}

async function startRun(): Promise<Run> {
  const dataset = await client.call('datasets.import', { path: sampleText });
  return client.call('runs.create', {
    dataset: dataset.id,
    backend: 'wasm',
    name: 'survivor',
    config: {
      model: { context: 32, layers: 1, width: 32, headWidth: 8 },
      training: {
        steps: 1200,
        batch: 4,
        evaluateEvery: 100,
        evaluationBatches: 4,
        checkpointEvery: 150,
      },
    },
  });
}

test(
  'a killed core comes back, its run goes on, and the curve is whole',
  { skip: noBrowser },
  async () => {
    const { page } = opened;
    const run = await startRun();
    await page.goto(`${new URL(app.url).origin}/#/runs/${run.id}`);
    const standing = page.locator('main header .status').first();
    await standing.filter({ hasText: 'Training' }).waitFor();
    // Every step that the core has told of, and when.
    const told: { step: number; at: number }[] = [];
    client.subscribe((event) => {
      if (event.type === 'run-steps')
        for (const { step } of event.steps) told.push({ step, at: performance.now() });
    });
    while ((told.at(-1)?.step ?? 0) < 400) await delay(50);

    const killedAt = performance.now();
    process.kill(corePid(), 'SIGKILL');
    await page.getByRole('alert').filter({ hasText: 'It is being brought back' }).waitFor();
    await page.getByText(/ended by the signal SIGKILL.*It was started again/u).waitFor();
    await standing.filter({ hasText: 'Training' }).waitFor();
    assert.equal(app.lines.filter(({ type }) => type === 'serving').at(-1)?.['url'], app.url);

    const log = await client.call('runs.log', { run: run.id });
    const recovered = log.map(({ message }) => /unexpectedly after step (\d+)/u.exec(message)?.[1]);
    const recorded = Number(recovered.find((step) => step !== undefined));
    const olderThanASecond = told.filter(({ at }) => at < killedAt - 1000).at(-1)?.step ?? 0;
    assert.ok(olderThanASecond > 0);
    assert.ok(
      recorded >= olderThanASecond,
      `step ${recorded} was recorded, ${olderThanASecond} told`,
    );

    const ended = await runEnded(client, run.id);
    assert.equal(ended.status, 'finished');
    const { steps, validations } = await client.call('runs.metrics', { run: run.id });
    assert.deepEqual(
      steps.map(({ step }) => step),
      Array.from({ length: 1200 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      validations.map(({ step }) => step),
      Array.from({ length: 12 }, (_, index) => (index + 1) * 100),
    );
    await standing.filter({ hasText: 'Finished' }).waitFor();
    assert.deepEqual(opened.problems, []);
  },
);
