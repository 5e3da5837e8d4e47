/**
 * Every screen and state of the app under axe-core, in both themes: no violation of any rule. Real
 * Chromium, real server, real runs; the states are made once and each theme's page walks through them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import type { PartialConfig } from '../../core/contract/config.ts';
import type { Client } from '../../core/contract/protocol.ts';
import type { Run } from '../../core/contract/records.ts';
import { sessionPath } from '../../core/contract/wire.ts';
import {
  closeBrowser,
  connectTo,
  noBrowser,
  openPage,
  root,
  runEnded,
  sampleText,
  serveApp,
  type OpenPage,
  type ServedApp,
} from './app.ts';

const axe = readFileSync(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
const themes = ['light', 'dark'] as const;

let app: ServedApp;
let origin: string;
let client: Client;
let close: () => void;
const opened: OpenPage[] = [];

before(async () => {
  if (noBrowser !== false) return;
  app = await serveApp();
  origin = new URL(app.url).origin;
  ({ client, close } = await connectTo(app.url));
  for (const colorScheme of themes) {
    const themed = await openPage(app.url, { colorScheme, reducedMotion: 'reduce' });
    themed.page.setDefaultTimeout(20_000);
    opened.push(themed);
  }
});
after(async () => {
  if (noBrowser !== false) return;
  close();
  for (const each of opened) await each.close();
  await closeBrowser();
  await app.stop();
});

/** What axe finds in the page as it stands: rule, element and what would be right. */
async function violations(page: Page): Promise<string[]> {
  const known = await page.evaluate('"axe" in window');
  if (known !== true) await page.evaluate(axe);
  // Also with reduced motion a colour is the old one until the next frame: judged is what stays.
  await page.evaluate('Promise.allSettled(document.getAnimations().map((each) => each.finished))');
  const results = await page.evaluate<AxeResults>(
    'axe.run(document, { resultTypes: ["violations"] })',
  );
  return results.violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) =>
        `${id} (${impact}) at ${target.join(' ')}: ${failureSummary?.replaceAll(/\s+/gu, ' ')}`,
    ),
  );
}

/** One state of the app: where it is, what brings it about, and what leaves it again. */
interface State {
  name: string;
  /** The address's fragment; left out, the page stays where it is. */
  at?: string;
  /** Does what it takes, and waits until the state is there. */
  reach: (page: Page) => Promise<unknown>;
  leave?: (page: Page) => Promise<unknown>;
}

/** One test for each state; all failures of a state are told at once. */
function examine(list: readonly State[]): void {
  for (const { name, at, reach, leave } of list)
    test(name, { skip: noBrowser }, async () => {
      const found: string[] = [];
      for (const [index, { page }] of opened.entries()) {
        if (at !== undefined)
          await page.goto(`${origin}/#/${at.replace('RUN', finished?.id ?? '')}`);
        await reach(page);
        found.push(...(await violations(page)).map((each) => `${themes[index]}: ${each}`));
        await leave?.(page);
      }
      assert.deepEqual(found, []);
    });
}

const heading =
  (name: string | RegExp, level?: number) =>
  (page: Page): Promise<void> =>
    page
      .getByRole('heading', { name, ...(level === undefined ? {} : { level }) })
      .first()
      .waitFor();
const escape = async (page: Page): Promise<void> => {
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
};
async function pressFor(page: Page, key: string, title: string | RegExp): Promise<void> {
  await page.keyboard.press(key);
  await page.getByRole('dialog', { name: title }).waitFor();
}

let dataset = '';
let finished: Run | undefined;
let doomed: Run;

const model = { context: 32, layers: 1, width: 32, headWidth: 8 };
const start = (name: string, training: PartialConfig['training']): Promise<Run> =>
  client.call('runs.create', {
    ...{ dataset, backend: 'wasm', name },
    config: { model, training: { batch: 4, evaluateEvery: 20, evaluationBatches: 2, ...training } },
  });

examine([
  { name: 'no runs', at: 'runs', reach: heading('No runs yet') },
  { name: 'no data', at: 'data', reach: heading('No text yet') },
  { name: 'new run without data', at: 'new', reach: heading('New run', 1) },
  {
    name: 'machine with nothing on it',
    at: 'machine',
    reach: (page) => page.getByText('WebAssembly').first().waitFor(),
  },
]);

test('runs are made', { skip: noBrowser }, async () => {
  dataset = (await client.call('datasets.import', { path: sampleText })).id;
  finished = await start('first', { steps: 60, checkpointEvery: 20 });
  await client.call('runs.update', { run: finished.id, tags: ['baseline'], note: 'A note.' });
  const second = await start('second', { steps: 60, checkpointEvery: 60 });
  const diverging = await start('diverging', {
    steps: 60,
    learningRate: 10,
    warmup: 0,
    weightDecay: 10,
  });
  doomed = await start('doomed', { steps: 20 });
  for (const { id } of [finished, second, diverging, doomed]) await runEnded(client, id);
  assert.equal((await client.call('runs.get', { run: diverging.id })).status, 'failed');
});

examine([
  {
    name: 'new run',
    at: 'new',
    reach: (page) =>
      page
        .getByText(/^≈ [\d.]+ [KMG]iB$/u)
        .first()
        .waitFor(),
  },
  {
    name: 'new run with errors in its fields',
    reach: async (page) => {
      await page.getByRole('textbox', { name: 'Layers (L)' }).fill('-1');
      await page.getByRole('textbox', { name: 'Steps', exact: true }).fill('many');
      await page.locator('[aria-invalid="true"]').nth(1).waitFor();
    },
    leave: (page) => page.getByRole('button', { name: 'Discard changes' }).click(),
  },
  {
    name: 'the JSON of a configuration',
    reach: async (page) => {
      await page.getByRole('button', { name: 'JSON…' }).click();
      await page.getByRole('dialog').waitFor();
    },
    leave: escape,
  },
  {
    name: 'presets that fit a search',
    reach: async (page) => {
      await page.getByRole('searchbox').fill('moa wikitext');
      await page
        .getByRole('radio', { name: /^MoA 47M/u })
        .first()
        .waitFor();
    },
    leave: (page) => page.getByRole('searchbox').fill(''),
  },
  {
    name: 'the paper’s presets, and costs of one layer',
    reach: async (page) => {
      await page.getByRole('button', { name: /^As published/u }).click();
      await page.getByRole('radio', { name: /^SwitchAll 47M.*C4/u }).waitFor();
      await page.getByRole('radio', { name: 'One layer' }).check({ force: true });
      await page.getByText(/as the paper’s tables print it/u).waitFor();
    },
  },
  {
    name: 'a model matched to another',
    reach: async (page) => {
      await page.getByRole('button', { name: 'Match to…' }).click();
      await page
        .getByRole('dialog')
        .getByRole('row', { name: /^Attention MACs/u })
        .waitFor();
    },
    leave: escape,
  },
  {
    name: 'the form for ListOps data, with errors',
    at: 'data',
    reach: async (page) => {
      await page.getByRole('button', { name: 'Make ListOps data…' }).click();
      await page.getByRole('textbox', { name: 'Examples' }).fill('none');
      await page
        .getByRole('dialog')
        .getByText(/^Examples is "none"/u)
        .waitFor();
    },
    leave: escape,
  },
  {
    name: 'model and data that do not fit',
    at: 'new?from=tiny-listops-dense-8',
    reach: (page) => page.getByText('Model and data do not fit.').waitFor(),
  },
  {
    name: 'runs compared',
    at: 'runs',
    reach: async (page) => {
      for (const name of ['first', 'second', 'diverging'])
        await page.getByRole('checkbox', { name: `Show ${name} in` }).check();
      await page.getByRole('heading', { name: 'Quality against cost' }).waitFor();
      await page.getByRole('checkbox', { name: 'Published points' }).check();
      await page.getByText(/^published on/u).waitFor();
    },
  },
  {
    name: 'the menu of a run',
    reach: async (page) => {
      await page.getByRole('button', { name: 'Actions for first' }).click();
      await page.getByRole('menu').waitFor();
    },
    leave: (page) => page.keyboard.press('Escape'),
  },
  {
    name: 'no run fits the search',
    reach: async (page) => {
      await page.getByRole('searchbox').fill('nothing like it');
      await page.getByText('No run fits.').waitFor();
    },
    leave: (page) => page.getByRole('searchbox').fill(''),
  },
  {
    name: 'overview of a run',
    at: 'runs/RUN',
    reach: async (page) => {
      await heading('first', 1)(page);
      await page.getByRole('img', { name: /^Loss/iu }).first().waitFor();
    },
  },
  {
    name: 'the export menu of a run',
    reach: async (page) => {
      await page.getByRole('button', { name: 'Export' }).click();
      await page.getByRole('menu').waitFor();
    },
    leave: (page) => page.keyboard.press('Escape'),
  },
  {
    name: 'samples of a run',
    at: 'runs/RUN/samples',
    reach: async (page) => {
      await page.getByRole('textbox', { name: 'Prompt' }).fill('ROMEO:');
      await page.getByRole('button', { name: 'Generate' }).click();
      await page
        .getByText(/tokens\/s|tokens per second/u)
        .first()
        .waitFor();
    },
  },
  {
    name: 'checkpoints of a run',
    at: 'runs/RUN/checkpoints',
    reach: (page) => page.getByRole('row').nth(2).waitFor(),
  },
  {
    name: 'configuration of a run',
    at: 'runs/RUN/configuration',
    reach: (page) => page.getByText('Head width (P)').first().waitFor(),
  },
  {
    name: 'log of a run',
    at: 'runs/RUN/log',
    reach: (page) =>
      page
        .getByRole('log')
        .getByText(/WebAssembly/u)
        .first()
        .waitFor(),
  },
  { name: 'a question', reach: (page) => pressFor(page, 'F2', 'Rename run'), leave: escape },
  {
    name: 'a confirmation',
    reach: (page) => pressFor(page, 'Delete', /^Delete “first”/u),
    leave: escape,
  },
  { name: 'the shortcuts', reach: (page) => pressFor(page, '?', 'Keyboard'), leave: escape },
  {
    name: 'a failed run',
    at: 'runs',
    reach: async (page) => {
      await page.getByRole('list').getByRole('link', { name: 'diverging' }).click();
      await page.getByText(/^The run has failed at step/u).waitFor();
    },
  },
  { name: 'a run that is not there', at: 'runs/nothing', reach: heading(/^There is no run/u) },
  {
    name: 'data',
    at: 'data',
    reach: (page) => page.getByText('First Citizen:').first().waitFor(),
  },
  { name: 'machine', at: 'machine', reach: (page) => page.getByText('wasm').first().waitFor() },
]);

/** The run is gone before the person has answered: a deletion that cannot succeed. */
test('a failure', { skip: noBrowser }, async () => {
  for (const { page } of opened) {
    await page.goto(`${origin}/#/runs/${doomed.id}`);
    await heading('doomed', 1)(page);
    await pressFor(page, 'Delete', /^Delete “doomed”/u);
  }
  await client.call('runs.remove', { run: doomed.id });
  for (const { page } of opened) {
    await page.getByRole('button', { name: 'Delete run' }).click();
    await page.getByRole('alert').filter({ hasText: 'no run' }).first().waitFor();
    assert.deepEqual(await violations(page), []);
    // The page may have told of something else meanwhile, which has its own button.
    await page.getByRole('button', { name: 'Dismiss' }).first().click();
  }
});

/** A loaded machine: the second look at the devices takes its time, and what takes space is not known. */
test('machine while it looks', { skip: noBrowser }, async () => {
  const { page, close: closePage } = await openPage('about:blank');
  const held = new Set<number>();
  await page.routeWebSocket('**/socket', (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const { id, method } = JSON.parse(String(message)) as { id: number; method?: string };
      if (method === 'devices.list' || method === 'disk.usage') held.add(id);
      server.send(message);
    });
    server.onMessage((message) => {
      const { id } = JSON.parse(String(message)) as { id?: number };
      if (id === undefined || !held.has(id)) socket.send(message);
    });
  });
  await page.goto(app.url);
  await page.goto(`${origin}/#/machine`);
  await page.getByText('Looking for devices…').waitFor();
  assert.deepEqual(await violations(page), []);
  await closePage();
});

/** A loaded machine: the page is told that its token is wrong only when it is connecting again. */
test('a refused page says so, also while it connects again', { skip: noBrowser }, async () => {
  const { page, close: closePage } = await openPage('about:blank');
  const again = Promise.withResolvers<undefined>();
  let sockets = 0;
  await page.routeWebSocket('**/socket', (socket) => {
    sockets += 1;
    if (sockets === 1) void socket.close();
    else again.resolve(undefined);
  });
  await page.route(`**${sessionPath}`, async (route) => {
    await again.promise;
    await route.continue();
  });
  await page.goto(`${origin}/#token=wrong`);
  await heading(/was started anew/u, 1)(page);
  await page.waitForTimeout(200);
  await heading(/was started anew/u, 1)(page);
  await closePage();
});

/** Counts from now on what screen readers would say without being asked; `spoken` in the page. */
const listen = `
  spoken = 0;
  new MutationObserver((records) => {
    const live = '[aria-live], [role="status"], [role="alert"], [role="log"]';
    const parents = records.map(({ target }) => (target instanceof Element ? target : target.parentElement));
    spoken += parents.filter((parent) => parent?.closest(live) != null).length;
    if (document.activeElement.matches('[role="img"]'))
      spoken += records.filter(({ target, attributeName }) =>
        target === document.activeElement && attributeName === 'aria-label').length;
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
`;

/** Resolves once the run whose page is open is that many steps further. */
async function stepsFurther(page: Page, count: number): Promise<void> {
  const tile = page.locator('dl > div:first-child .value').first();
  const step = async (): Promise<number> =>
    Number.parseInt((await tile.innerText()).replaceAll(/\D/gu, ''), 10);
  const until = (await step()) + count;
  while ((await step()) < until) await page.waitForTimeout(100);
}

test('training', { skip: noBrowser }, async () => {
  const run = await start('long', { steps: 100_000, checkpointEvery: 1000 });
  await start('waiting', { steps: 20 });
  for (const { page } of opened) {
    await page.goto(`${origin}/#/runs/${run.id}`);
    await page.locator('main header .status').filter({ hasText: 'Training' }).waitFor();
    const chart = page.getByRole('img', { name: /long: last \d.*best validation/u });
    await chart.waitFor();
    assert.deepEqual(await violations(page), []);
    await chart.focus();
    await page.evaluate(listen);
    await stepsFurther(page, 100);
    assert.equal(await page.evaluate('spoken'), 0, 'a run that trains says nothing by itself');
    await page.goto(`${origin}/#/new`);
    await page.getByRole('radio', { name: /^wasm/u }).check();
    await page.getByText(/It will wait in the queue/u).waitFor();
    assert.deepEqual(await violations(page), []);
  }
});

test('without a valid token, and after the end', { skip: noBrowser }, async () => {
  for (const colorScheme of themes)
    for (const [address, title] of [
      [origin, /needs its whole address/u],
      [`${origin}/#token=wrong`, /was started anew/u],
    ] as const) {
      const other = await openPage(address, { colorScheme });
      await heading(title, 1)(other.page);
      assert.deepEqual(await violations(other.page), []);
      await other.close();
    }
  app.process.kill('SIGINT');
  for (const { page } of opened) {
    await heading('Switchyard has ended', 1)(page);
    assert.deepEqual(await violations(page), []);
  }
});
