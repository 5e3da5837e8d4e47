/**
 * `npm run screenshots`: serves the app on a data directory of its own, trains the three tiny presets
 * for a few hundred steps, and takes pictures of every screen in both themes into docs/screenshots/.
 * `--steps N` trains longer or shorter; names (`runs log`) take only those pictures.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { presets } from '../core/contract/presets.ts';
import {
  closeBrowser,
  connectTo,
  openPage,
  root,
  runEnded,
  sampleText,
  serveApp,
} from '../tests/browser/app.ts';

const { values, positionals } = parseArgs({
  options: { steps: { type: 'string', default: '300' } },
  allowPositionals: true,
});
const steps = Number(values.steps);
const folder = join(root, 'docs', 'screenshots');
mkdirSync(folder, { recursive: true });

const app = await serveApp();
const { client, close } = await connectTo(app.url);

/** One picture in each theme. */
async function picture(name: string, route: string, prepare?: (page: Page) => Promise<void>) {
  if (positionals.length > 0 && !positionals.includes(name)) return;
  for (const theme of ['light', 'dark'] as const) {
    const { page, close: closePage } = await openPage(app.url, {
      colorScheme: theme,
      viewport: { width: 1440, height: 900 },
    });
    await page.goto(`${new URL(app.url).origin}/${route}`);
    await page.waitForLoadState('networkidle');
    await prepare?.(page);
    // Charts draw within a quarter of a second.
    await page.waitForTimeout(900);
    await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    await closePage();
  }
  process.stdout.write(`${name}\n`);
}

try {
  await picture('empty', '#/runs');
  // From a place that looks the same on every machine.
  const text = join(tmpdir(), 'tinyshakespeare.txt');
  copyFileSync(sampleText, text);
  const dataset = await client.call('datasets.import', { path: text });
  const started: string[] = [];
  for (const preset of presets.slice(0, 3)) {
    const { id } = await client.call('runs.create', {
      config: {
        ...preset.config,
        training: {
          ...preset.config.training,
          ...{ steps, evaluateEvery: Math.ceil(steps / 10), evaluationBatches: 8 },
        },
      },
      dataset: dataset.id,
      name: preset.name,
    });
    await client.call('runs.update', { run: id, tags: ['tiny', 'equal parameters'] });
    started.push(id);
  }
  for (const id of started.slice(0, -1)) await runEnded(client, id);
  const [first, , last] = started;
  while ((await client.call('runs.get', { run: last })).step < steps / 3)
    await new Promise((resolve) => setTimeout(resolve, 500));
  await picture('run', `#/runs/${last}`);
  await runEnded(client, last);

  await picture('runs', '#/runs');
  await picture('new-run', '#/new');
  await picture('match', '#/new', async (page) => {
    await page.getByRole('button', { name: 'Match to…' }).click();
    await page
      .getByRole('dialog')
      .getByRole('row', { name: /^Attention MACs/u })
      .waitFor();
  });
  await picture('published', '#/runs', async (page) => {
    await page.getByRole('checkbox', { name: 'Published points' }).check();
    await page.getByLabel('Cost', { exact: true }).selectOption('attentionMacs');
    await page.getByText(/^Circle: dense/u).scrollIntoViewIfNeeded();
  });
  await picture('data', `#/data/${dataset.id}`);
  await picture('machine', '#/machine');
  await picture('samples', `#/runs/${first}/samples`, async (page) => {
    await page.getByRole('textbox', { name: 'Prompt' }).fill('ROMEO:\n');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    await page.getByRole('button', { name: 'Generate' }).waitFor({ timeout: 120_000 });
  });
  await picture('checkpoints', `#/runs/${first}/checkpoints`);
  await picture('configuration', `#/runs/${first}/configuration`);
  await picture('log', `#/runs/${first}/log`);
  await picture('delete', `#/runs/${first}`, async (page) => {
    await page.getByRole('button', { name: /^Delete/u }).click();
  });
  await picture('shortcuts', '#/runs', async (page) => {
    await page.keyboard.press('?');
  });
} finally {
  close();
  await closeBrowser();
  await app.stop();
}
