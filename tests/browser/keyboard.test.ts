/**
 * A short job with the keyboard alone: a run is started, found, paused, stopped, renamed and deleted;
 * wherever something goes away, the focus is where a person can go on. Real Chromium, real training.
 */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
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
let page: Page;
let client: Client;
let close: () => void;
let dataset: string;

before(async () => {
  if (noBrowser !== false) return;
  app = await serveApp();
  ({ client, close } = await connectTo(app.url));
  dataset = (await client.call('datasets.import', { path: sampleText })).id;
  for (const name of ['one', 'two', 'three']) await runEnded(client, (await start(name, 20)).id);
  opened = await openPage(app.url);
  ({ page } = opened);
  page.setDefaultTimeout(20_000);
});
after(async () => {
  if (noBrowser !== false) return;
  close();
  await opened.close();
  await closeBrowser();
  await app.stop();
});

const start = (name: string, steps: number): Promise<Run> =>
  client.call('runs.create', {
    ...{ dataset, backend: 'wasm', name },
    config: {
      model: { context: 32, layers: 1, width: 32, headWidth: 8 },
      training: { steps, batch: 4, evaluateEvery: 20, evaluationBatches: 2, checkpointEvery: 200 },
    },
  });

/** What has the focus: its accessible name, or its text. The page's own code, as `tsc` knows no page here. */
const focused = (): Promise<string> =>
  page.evaluate<string>(`(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return 'nothing';
    return element.getAttribute('aria-label') ?? element.textContent.trim();
  })()`);

/** Resolves once that has the focus. */
async function hasFocus(wanted: RegExp): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    const found = await focused();
    if (wanted.test(found)) return;
    if (performance.now() > until)
      assert.fail(`${wanted.source} should have the focus, but ${found} has it.`);
    await page.waitForTimeout(50);
  }
}

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Presses Tab until that has the focus. */
async function tabTo(wanted: RegExp): Promise<void> {
  for (let stops = 0; stops < 60; stops++) {
    await press('Tab');
    if (wanted.test(await focused())) return;
  }
  assert.fail(`Tab does not come to ${wanted.source} from here.`);
}

/** Whether what has the focus has an outline. */
const showsFocus = (): Promise<boolean> =>
  page.evaluate<boolean>(`(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return outlineStyle !== 'none' && outlineWidth !== '0px';
  })()`);

const status = (word: string): Promise<void> =>
  page.locator('main header .status').first().filter({ hasText: word }).waitFor();
const screen = (name: string): Promise<void> =>
  page.getByRole('main', { name, exact: true }).waitFor();
const dialogGone = (): Promise<void> => page.locator('dialog[open]').waitFor({ state: 'detached' });

function step(name: string, work: () => Promise<void>): void {
  test(name, { skip: noBrowser }, async () => {
    try {
      await work();
    } catch (error) {
      await page.screenshot({ path: join(tmpdir(), 'switchyard-keyboard.png') });
      throw error;
    }
  });
}

step('the first stop leads past the navigation', async () => {
  await page.getByRole('link', { name: 'three' }).first().waitFor();
  await press('Tab');
  assert.equal(await focused(), 'Skip to content');
  assert.ok(await showsFocus());
  await press('Enter', 'Tab');
  await hasFocus(/^Export CSV$/u);
  assert.ok(await showsFocus());
});

step('a run is configured and started', async () => {
  await press('n');
  await hasFocus(/^New run$/u);
  for (const [name, value] of [
    ['steps', '100000'],
    ['context', '32'],
    ['batch', '4'],
  ]) {
    await page.locator(`input[name$="${name}"]`).first().focus();
    await press('Control+A');
    await page.keyboard.type(value);
  }
  await press('Control+Enter');
  await status('Training');
  await screen(await page.getByRole('heading', { level: 1 }).innerText());
  assert.notEqual(await focused(), 'nothing');
});

step('it is found in the list and opened', async () => {
  await press('g', 'r');
  await hasFocus(/^Runs$/u);
  await press('j', 'j');
  await hasFocus(/^three$/u);
  assert.ok(await showsFocus());
  await press('k', 'Enter');
  await status('Training');
});

step('it is paused, resumed and stopped', async () => {
  await press('p');
  await status('Paused');
  await press('p');
  await status('Training');
  // The same with the buttons, which change under the focus.
  await tabTo(/^Pause$/u);
  await press('Enter');
  await status('Paused');
  await hasFocus(/^Resume$/u);
  await press('Enter');
  await status('Training');
  await hasFocus(/^(Pause|Stop)$/u);
  await press('s');
  await status('Stopped');
  await hasFocus(/^(Resume|Duplicate)$/u);
});

step('it is renamed, and the focus comes back', async () => {
  const from = await focused();
  await press('F2');
  await page.getByRole('dialog', { name: 'Rename run' }).waitFor();
  await page.keyboard.type('named by keys');
  await press('Enter');
  await dialogGone();
  await page.getByRole('heading', { name: 'named by keys', level: 1 }).waitFor();
  assert.equal(await focused(), from);
  await press('F2');
  await page.getByRole('dialog', { name: 'Rename run' }).waitFor();
  await tabTo(/^Cancel$/u);
  await press('Enter');
  await dialogGone();
  assert.equal(await focused(), from);
});

step('the help closes and gives the focus back', async () => {
  const from = await focused();
  await press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await press('Escape');
  await dialogGone();
  assert.equal(await focused(), from);
  await screen('named by keys');
});

step('runs are deleted, and the focus goes to the next ones', async () => {
  await press('g', 'r');
  await hasFocus(/^Runs$/u);
  await press('j', 'j');
  await hasFocus(/^three$/u);
  await press('Delete');
  await page.getByRole('dialog', { name: /^Delete “three”/u }).waitFor();
  await tabTo(/^Delete run$/u);
  await press('Enter');
  await page.getByText(/^Deleted “three”/u).waitFor();
  await hasFocus(/two/u);
  // From the menu of a row.
  await tabTo(/^Actions for two$/u);
  await press('Enter');
  await hasFocus(/^Rename/u);
  await press('End', 'Enter');
  await page.getByRole('dialog', { name: /^Delete “two”/u }).waitFor();
  await press('Escape');
  await dialogGone();
  await hasFocus(/^Actions for two$/u);
  await press('Enter', 'End', 'Enter');
  await page.getByRole('dialog', { name: /^Delete “two”/u }).waitFor();
  await tabTo(/^Delete run$/u);
  await press('Enter');
  await page.getByText(/^Deleted “two”/u).waitFor();
  await hasFocus(/one/u);
});

step('a deleted run’s page leaves the focus in the list', async () => {
  await tabTo(/^Actions for|^one$/u);
  await press('j', 'Enter');
  await screen('one');
  await press('Delete');
  await page.getByRole('dialog', { name: /^Delete “one”/u }).waitFor();
  await tabTo(/^Delete run$/u);
  await press('Enter');
  await hasFocus(/^Runs$/u);
  assert.deepEqual(opened.problems, []);
});
