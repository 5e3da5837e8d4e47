/**
 * From nothing to a classifier in the page: ListOps data are made, the form offers what fits them and
 * mends what does not, the run shows its accuracy and no samples. Real Chromium, real training.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  closeBrowser,
  dropFiles,
  noBrowser,
  openPage,
  serveApp,
  type OpenPage,
  type ServedApp,
} from './app.ts';

let app: ServedApp;
let opened: OpenPage;
let page: Page;
const folder = mkdtempSync(join(tmpdir(), 'switchyard-tables-'));

before(async () => {
  if (noBrowser !== false) return;
  app = await serveApp();
  opened = await openPage(app.url);
  ({ page } = opened);
  page.setDefaultTimeout(20_000);
});
after(async () => {
  rmSync(folder, { recursive: true });
  if (noBrowser !== false) return;
  await opened.close();
  await closeBrowser();
  await app.stop();
});

function step(name: string, work: () => Promise<void>): void {
  test(name, { skip: noBrowser }, async () => {
    try {
      await work();
    } catch (error) {
      await page.screenshot({ path: join(tmpdir(), 'switchyard-classifier.png') });
      throw error;
    }
  });
}

const heading = (name: string | RegExp): Promise<void> =>
  page.getByRole('heading', { name, level: 1 }).waitFor();
const go = (route: string): Promise<unknown> => page.goto(`${new URL(app.url).origin}/#/${route}`);

step('ListOps data are made', async () => {
  await heading('Runs');
  await go('data');
  await page.getByRole('button', { name: 'Make ListOps data…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make ListOps data' });
  await dialog.getByRole('textbox', { name: 'Examples' }).fill('300');
  await dialog.getByRole('textbox', { name: 'Longest expression' }).fill('24');
  await dialog.getByRole('textbox', { name: 'Name (optional)' }).fill('small lists');
  await dialog.getByRole('button', { name: 'Make' }).click();
  await page.getByRole('heading', { name: 'small lists', exact: true }).waitFor();
  await page
    .getByText(/\[(?:MIN|MAX|MED|SM|FIRST|LAST) .* = \d/u)
    .first()
    .waitFor();
});

step('a table is imported as what it is', async () => {
  const table = join(folder, 'table.tsv');
  writeFileSync(table, '2\t[MIN 2 9 ]\n9\t[MAX 2 9 ]\n4\t[SM 7 7 ]\n3\t[FIRST 3 1 ]\n');
  await dropFiles(page, [table]);
  const question = page.getByRole('dialog', { name: /ListOps data\?$/u });
  await question.getByRole('button', { name: 'Import as bytes' }).waitFor();
  await question.getByRole('button', { name: 'Import as ListOps' }).click();
  await page.getByRole('heading', { name: 'table', exact: true }).waitFor();
  await page.getByText('[MIN 2 9 ] = 2').waitFor();
});

step('the form offers what fits, and mends what does not', async () => {
  const data = page.getByRole('navigation', { name: 'Datasets' });
  await data.getByRole('link', { name: /small lists/u }).click();
  await page.getByRole('heading', { name: 'small lists', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Train on it' }).first().click();
  await heading('New run');
  assert.equal(await page.getByRole('radio', { name: /^Tiny dense/u }).count(), 0);
  assert.ok(
    await page
      .getByRole('radio', { name: /^Tiny ListOps/u })
      .first()
      .isChecked(),
  );
  const id = new URL(page.url()).hash.replace(/^.*data=/u, '');
  await go(`new?from=tiny-switchhead-xl&data=${id}`);
  await page.getByText('Model and data do not fit.').waitFor();
  assert.ok(await page.getByRole('button', { name: /Start run/u }).isDisabled());
  await page.getByRole('button', { name: 'Make it a classifier' }).click();
  await page.getByText('Model and data do not fit.').waitFor({ state: 'detached' });
  const cached = page.getByRole('textbox', { name: 'Cached chunks', exact: true });
  assert.equal(await cached.inputValue(), '0');
});

step('a classifier shows its accuracy, and why it has no samples', async () => {
  const values = {
    'Context (T)': 32,
    'Layers (L)': 1,
    'Model width (D)': 32,
    Steps: 40,
    Batch: 4,
    'Warm-up': 5,
    'Evaluate every': 20,
    'Checkpoint every': 40,
  };
  for (const [label, value] of Object.entries(values))
    await page.getByRole('textbox', { name: label, exact: true }).fill(String(value));
  await page.getByRole('textbox', { name: /^Name/u }).fill('lists');
  await page.getByRole('radio', { name: /^wasm/u }).check();
  await page.getByRole('button', { name: /Start run/u }).click();
  await heading('lists');
  await page.locator('main header .status').filter({ hasText: 'Finished' }).waitFor();
  const accuracy = page.locator('dl > div').filter({ hasText: 'Best validation accuracy' });
  assert.match(await accuracy.locator('.value').innerText(), /^\d+\.\d %$/u);
  await page.getByRole('img', { name: /^Validation accuracy.*lists: best/u }).waitFor();
  assert.equal(await page.getByText(/perplexity|bits per byte/u).count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Samples' }).count(), 0);
  await page.getByText(/^It has no samples/u).waitFor();
});

step('its accuracy is compared, and nothing went wrong in the page', async () => {
  await page.getByRole('link', { name: /^Runs/u }).first().click();
  const table = page.getByRole('region', { name: /^Comparison/u });
  await table.getByRole('button', { name: 'Best acc.' }).waitFor();
  await page.getByRole('img', { name: /^Validation accuracy/u }).waitFor();
  assert.deepEqual(opened.problems, []);
});
