/**
 * The app's main job from end to end as a person does it: a real text is dropped on the window, three
 * architectures are trained on it, watched, compared, sampled, exported and cleared away. Real Chromium,
 * real server, real training.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Download, Locator, Page } from 'playwright-core';
import {
  closeBrowser,
  dropFiles,
  noBrowser,
  openPage,
  sampleText,
  serveApp,
  type OpenPage,
  type ServedApp,
} from './app.ts';

/** Longest wait for one thing to appear, in milliseconds; the machine may be busy. */
const patience = 20_000;

let app: ServedApp;
let opened: OpenPage;
let page: Page;

/** Each continues where the one before it ended; after a failure the rest says nothing. */
let failed = false;
function step(name: string, work: () => Promise<void>): void {
  test(name, { skip: noBrowser }, async (context) => {
    if (failed) {
      context.skip('a step before it failed');
      return;
    }
    failed = true;
    try {
      await work();
      failed = false;
    } catch (error) {
      await page.screenshot({ path: join(tmpdir(), 'switchyard-failed.png') });
      throw error;
    }
  });
}

before(async () => {
  if (noBrowser !== false) return;
  app = await serveApp();
  opened = await openPage(app.url, { acceptDownloads: true });
  ({ page } = opened);
  page.setDefaultTimeout(patience);
});
after(async () => {
  if (noBrowser !== false) return;
  await opened.close();
  await closeBrowser();
  await app.stop();
});

const heading = (name: string | RegExp): Locator => page.getByRole('heading', { name, level: 1 });
const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const field = (name: string | RegExp): Locator => page.getByRole('textbox', { name, exact: true });
const status = (): Locator => page.getByRole('main').locator('header .status').first();

/** Waits until the run whose page is open has that status. */
async function hasStatus(word: string): Promise<void> {
  await status().filter({ hasText: word }).waitFor();
}

/** Makes a model that takes milliseconds a step. */
async function makeTiny(steps: number): Promise<void> {
  const values = {
    'Context (T)': 32,
    'Layers (L)': 1,
    'Model width (D)': 32,
    Steps: steps,
    Batch: 4,
    'Warm-up': 5,
    'Evaluate every': 20,
    'Checkpoint every': 50,
  };
  for (const [label, value] of Object.entries(values)) await field(label).fill(String(value));
  await page.getByRole('radio', { name: /^wasm/u }).check();
}

async function downloadsOf(count: number, act: () => Promise<void>): Promise<Download[]> {
  const downloads: Download[] = [];
  const all = Promise.withResolvers<undefined>();
  const listener = (download: Download): void => {
    if (downloads.push(download) === count) all.resolve(undefined);
  };
  page.on('download', listener);
  await act();
  await all.promise;
  page.off('download', listener);
  return downloads;
}

step('a dropped text becomes a dataset', async () => {
  await heading('Runs').waitFor();
  assert.ok(!page.url().includes('token'), 'the token stays out of the address bar');
  await dropFiles(page, [sampleText]);
  await page.getByRole('heading', { name: 'tinyshakespeare', exact: true }).waitFor();
  await page.getByText('First Citizen:').first().waitFor();
  await page.getByText('1,003,856 tokens').waitFor();
  await page.getByText('111,538 tokens').waitFor();
});

step('a run is configured, started and watched', async () => {
  await button('Train on it').first().click();
  await heading('New run').waitFor();
  await page.getByRole('radio', { name: /^Tiny SwitchHead SwitchHead/u }).check({ force: true });
  await makeTiny(4000);
  await field('Head width (P)').fill('10');
  await page
    .getByText(/must be an even number/u)
    .first()
    .waitFor();
  assert.ok(await button(/Start run/u).isDisabled(), 'an impossible combination cannot be started');
  await field('Head width (P)').fill('8');
  await field(/^Name/u).fill('switchhead');
  await button(/Start run/u).click();

  await heading('switchhead').waitFor();
  await hasStatus('Training');
  const tile = (label: string): Locator =>
    page
      .locator('dl > div')
      .filter({ has: page.getByText(label, { exact: true }) })
      .locator('.value');
  await tile('Step')
    .filter({ hasText: /^[2-9]\d|\d{3}/u })
    .waitFor();
  assert.match(await tile('Training loss').innerText(), /^\d\.\d{4}$/u);
  assert.match(await tile('Speed').innerText(), /\d/u);
  await page.getByText(/left$/u).first().waitFor();
  assert.match(await page.title(), /% switchhead/u);
});

step('a dense baseline is matched by a mixture of attention heads', async () => {
  await page.goto(`${new URL(app.url).origin}/#/new?from=tiny-dense`);
  await heading('New run').waitFor();
  await button('Match to…').click();
  const dialog = page.getByRole('dialog', { name: 'Match to dense H8' });
  await dialog.getByRole('radio', { name: 'MoA' }).check({ force: true });
  await dialog.getByText(/^MoA H\d+\/8/u).waitFor();
  await dialog.getByRole('row', { name: /^Parameters .*(=|1\.00×)$/u }).waitFor();
  await dialog.getByRole('button', { name: 'Put it into the form' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('combobox', { name: 'Attention' }).inputValue(), 'moa');
  assert.equal(await field('Attention experts (E)').inputValue(), '8');
  await button('Discard changes').click();
  await page
    .getByRole('navigation')
    .getByRole('link', { name: /switchhead/u })
    .click();
});

step('it is paused, resumed, stopped and resumed again', async () => {
  await button('Pause').click();
  await hasStatus('Paused');
  const step = page.locator('dl > div:first-child .value');
  const paused = await step.innerText();
  await page.waitForTimeout(700);
  assert.equal(await step.innerText(), paused, 'nothing happens while it is paused');
  await button('Resume').click();
  await hasStatus('Training');
  await button('Stop').click();
  await hasStatus('Stopped');
  await button('Resume').click();
  await hasStatus('Training');
});

step('more runs are queued behind it', async () => {
  await page.goto(`${new URL(app.url).origin}/#/new`);
  await heading('New run').waitFor();
  for (const [preset, name] of [
    ['Tiny dense dense', 'dense'],
    ['Tiny SwitchAll SwitchAll', 'switchall'],
  ]) {
    await page.getByRole('radio', { name: new RegExp(`^${preset}`, 'u') }).check({ force: true });
    await makeTiny(60);
    await field('Head width (P)').fill('8');
    await field(/^Name/u).fill(name);
    await page.getByText(/It will wait in the queue/u).waitFor();
    await button('Start and configure another').click();
    await page.getByText(`“${name}” is queued.`).waitFor();
  }
  // The first one has learned enough; the others follow by themselves.
  await page
    .getByRole('navigation')
    .getByRole('link', { name: /switchhead/u })
    .click();
  await hasStatus('Training');
  await button('Stop').click();
  await hasStatus('Stopped');
  for (const name of ['dense', 'switchall']) {
    await page.getByRole('link', { name: /^Runs/u }).first().click();
    await page.getByRole('list').getByRole('link', { name, exact: true }).click();
    await hasStatus('Finished');
  }
});

step('the three are compared', async () => {
  await page.getByRole('link', { name: /^Runs/u }).first().click();
  const table = page.getByRole('region', { name: /^Comparison/u });
  for (const name of ['switchhead', 'dense', 'switchall'])
    await table.getByRole('link', { name, exact: true }).waitFor();
  const chart = page.getByRole('img', { name: /loss/iu }).first();
  await chart.waitFor();
  for (const axis of ['Tokens', 'Time', 'Steps'])
    await page.getByRole('radio', { name: axis }).check({ force: true });
  assert.match((await chart.getAttribute('aria-label')) ?? '', /switchall/u);
  await page.getByRole('heading', { name: 'Quality against cost' }).waitFor();
  await page.getByRole('checkbox', { name: 'Published points' }).check();
  await page.getByText('published on WikiText-103, tables 1, 2, 3 and 7').waitFor();
  const scatter = page.getByRole('img', { name: /^Best validation loss against/u });
  assert.match(
    (await scatter.getAttribute('aria-label')) ?? '',
    /Published on WikiText-103: .*MoA/u,
  );
  await page.getByRole('checkbox', { name: 'Published points' }).uncheck();
  await page.getByRole('checkbox', { name: 'Show dense in the charts' }).uncheck();
  await table.getByRole('link', { name: 'dense', exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('checkbox', { name: 'Show dense in the charts' }).check();
});

step('a run is renamed, tagged, annotated and looked into', async () => {
  await page.getByRole('list').getByRole('link', { name: 'dense', exact: true }).click();
  await heading('dense').waitFor();
  await page.keyboard.press('F2');
  await page.getByRole('dialog').getByLabel('Name').fill('dense baseline');
  await page.keyboard.press('Enter');
  await heading('dense baseline').waitFor();
  await button('Tag').click();
  await page.getByLabel('New tag').fill('baseline');
  await page.keyboard.press('Enter');
  await button('Remove the tag baseline').waitFor();
  await field('Note').fill('Equal parameters.');
  await heading('dense baseline').click();
  await page.getByText('Saved', { exact: true }).waitFor();

  await page
    .getByRole('link', { name: 'Log' })
    .or(page.getByRole('tab', { name: 'Log' }))
    .click();
  await page
    .getByText(/Training on WebAssembly/u)
    .first()
    .waitFor();
  await page
    .getByRole('link', { name: 'Samples' })
    .or(page.getByRole('tab', { name: 'Samples' }))
    .click();
  await page.getByRole('textbox', { name: 'Prompt' }).fill('ROMEO:');
  await button('Generate').click();
  await page
    .getByText(/tokens\/s|tokens per second/u)
    .first()
    .waitFor();
});

step('checkpoint and points are taken away', async () => {
  await button('Export').click();
  const files = await downloadsOf(4, () => page.getByText('Best checkpoint…').click());
  assert.deepEqual(files.map((file) => file.suggestedFilename()).sort(), [
    'config.json',
    'model.safetensors',
    'provenance.json',
    'tokenizer.json',
  ]);
  const model = files.find((file) => file.suggestedFilename() === 'model.safetensors');
  const bytes = readFileSync((await model?.path()) ?? '');
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString();
  assert.deepEqual((JSON.parse(header) as { __metadata__: object }).__metadata__, { format: 'pt' });

  await page.getByRole('link', { name: /^Runs/u }).first().click();
  const [csv] = await downloadsOf(1, () => button('Export CSV').click());
  const rows = readFileSync(await csv.path(), 'utf8')
    .trim()
    .split('\n');
  assert.match(rows[0], /^run_id,run_name,kind,step/u);
  const steps = rows.filter((row) => row.includes(',dense baseline,step,'));
  assert.equal(steps.length, 60, 'every step, not what is drawn');
});

step('a run is deleted after a question that names what it frees', async () => {
  await page.getByRole('list').getByRole('link', { name: 'switchall', exact: true }).click();
  await heading('switchall').waitFor();
  await button('Delete switchall').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/frees [\d.,]+ [KM]iB/u).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await heading('switchall').waitFor();
  await button('Delete switchall').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete run' }).click();
  await page.getByText(/Deleted “switchall” and freed/u).waitFor();
  await heading('Runs').waitFor();
  assert.equal(
    await page.getByRole('list').getByRole('link', { name: 'switchall', exact: true }).count(),
    0,
  );
});

step('nothing went wrong in the page meanwhile', async () => {
  await heading('Runs').waitFor();
  assert.deepEqual(opened.problems, []);
});
