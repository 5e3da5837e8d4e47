/** The measurements themselves; each opens what it needs and closes it again. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { root } from '../../tests/browser/app.ts';
import { hostRuns } from './host.ts';
import {
  createMeter,
  now,
  openObserved,
  paints,
  seenSince,
  traceTasks,
  whenShown,
  type Span,
  type Usage,
} from './observe.ts';
import { recordRuns, type Planned } from './records.ts';
import { heading, line, longTasks, spread } from './report.ts';

const mebibyte = 2 ** 20;

/** Six runs as somebody has them after a day: three of them long. */
const sixRuns: readonly Planned[] = [2400, 2200, 2000, 600, 600, 300].map((steps, i) => ({
  ...{ name: `run ${i + 1}`, steps, running: false },
}));

/** Time to paint the runs, and what is sent for it. */
export async function measurePaint(times = 10): Promise<void> {
  heading(`First useful paint: six runs, three of 2,000 steps and more; ${times} fresh profiles`);
  const host = await hostRuns(sixRuns);
  try {
    const all: { first: number; useful: number }[] = [];
    const tasks: Span[] = [];
    for (let i = 0; i < times; i++) {
      const { page, close } = await openObserved(host.url);
      all.push(await paints(page));
      tasks.push(...(await seenSince(page, 0)).tasks);
      await close();
    }
    line('first contentful paint, ms', spread(all.map(({ first }) => first)));
    line('list and loss chart drawn, ms', spread(all.map(({ useful }) => useful)));
    line('long tasks while loading, all profiles', longTasks(tasks));
    await bytesOf(host.url);
  } finally {
    await host.close();
  }
}

async function bytesOf(url: string): Promise<void> {
  const { page, close } = await openObserved('about:blank');
  const bytes = new Map<string, number>();
  const add = (kind: string, count: number): void =>
    void bytes.set(kind, (bytes.get(kind) ?? 0) + count);
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => add('socket', Buffer.byteLength(payload)));
  });
  page.on('requestfinished', (request) => {
    const kind = extname(new URL(request.url()).pathname).slice(1) || 'html';
    void request.sizes().then(({ responseBodySize }) => add(kind, responseBodySize));
  });
  await page.goto(url);
  await paints(page);
  await delay(500);
  for (const [kind, count] of bytes) line(`${kind}, kB`, (count / 1000).toFixed(1));
  await close();
}

/** `npm start` as a person types it, without a display, to the printed address and to the page. */
export async function measureStart(times = 5): Promise<void> {
  heading(`npm start, built before; ${times} times`);
  const home = mkdtempSync(join(tmpdir(), 'switchyard-benchmark-'));
  recordRuns(home, sixRuns);
  const commands = {
    'npm start': ['npm', 'start', '--'],
    'node switchyard.mjs': ['node', join(root, 'switchyard.mjs')],
  };
  try {
    for (const [label, command] of Object.entries(commands)) {
      const runs: { address: number; page: number }[] = [];
      while (runs.length < times) {
        const once = await startOnce([...command, '--no-open', '--home', home]);
        if (once.built) line('(not counted)', 'it had to build first');
        else runs.push(once);
      }
      line(`${label}: address printed, ms`, spread(runs.map(({ address }) => address)));
      line(`${label}: list and loss chart drawn, ms`, spread(runs.map(({ page }) => page)));
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function startOnce([program, ...args]: readonly string[]) {
  // A browser that runs already, as a person's does.
  const blank = await openObserved('about:blank');
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let built = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('Building')) built = true;
  });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).on('line', (text) => {
        const address = /http:\S+/u.exec(text)?.[0];
        if (address !== undefined) resolve(address);
      });
      void ended.then(() => reject(new Error('It ended before it served.')));
    });
    const address = performance.now() - began;
    await blank.page.goto(url, { waitUntil: 'commit' });
    await paints(blank.page);
    return { address, page: performance.now() - began, built };
  } finally {
    await blank.close();
    // As Ctrl-C does it: npm itself passes nothing on.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    await ended;
  }
}

/** Live runs: on the screen of all runs, then on that of one. */
export async function measureLive(count: number, seconds: number): Promise<void> {
  heading(`${count} runs of 2,000 steps, each with 20 events a second, ${seconds} s a screen`);
  const names = Array.from({ length: count }, (_, i) => `run ${i + 1}`);
  const host = await hostRuns(names.map((name) => ({ name, steps: 2000, running: true })));
  const end = host.goOn(20);
  const { page, problems, close } = await openObserved(host.url);
  try {
    await paints(page);
    if (count > 6)
      for (const box of await page.getByRole('checkbox', { name: /in the charts/u }).all())
        await box.setChecked(true);
    await watch(page, 'all runs', seconds);
    await page.evaluate(`location.hash = '#/runs/${host.ids[0]}'`);
    await whenShown(page, '.foot', 'step');
    await watch(page, 'one run', seconds);
    if (problems.length > 0) line('problems', problems.join(' | '));
  } finally {
    await close();
    end();
    await host.close();
  }
}

/** What a page does in some seconds once it has settled. */
async function watch(page: Page, label: string, seconds: number): Promise<void> {
  await delay(2000);
  const meter = await createMeter(page);
  const before = await meter();
  await delay(1000);
  const longestTask = await traceTasks(page);
  const began = await now(page);
  await delay(seconds * 1000);
  const { tasks, gaps } = await seenSince(page, began);
  const longest = await longestTask();
  const after = await meter();
  const share = (key: 'renderer' | 'drawing' | 'mainThread'): string =>
    `${(((after[key] - before[key]) / (seconds + 1)) * 100).toFixed(0)} %`;
  const mib = ({ heap }: Usage): string => (heap / mebibyte).toFixed(1);
  line(`${label}: long tasks`, longTasks(tasks));
  line(`${label}: processor time of the longest task, ms`, longest.toFixed(0));
  line(`${label}: gaps between frames over 100 ms`, longTasks(gaps));
  line(
    `${label}: processor`,
    `page's process ${share('renderer')}, of which main thread ${share('mainThread')}; drawing process ${share('drawing')} of one core`,
  );
  line(`${label}: heap, MiB`, `${mib(before)} before, ${mib(after)} after`);
}

/** One run of 100,000 steps: reading its curve, drawing it, zooming in. */
export async function measureLong(steps = 100_000): Promise<void> {
  heading(`One run of ${steps} steps`);
  const host = await hostRuns([{ name: 'long', steps, running: false }]);
  const [id] = host.ids;
  try {
    for (const part of [{}, { fromStep: steps * 0.4, toStep: steps * 0.42, points: 4000 }]) {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        const began = performance.now();
        await host.core.client.call('runs.curve', { run: id, ...part });
        times.push(performance.now() - began);
      }
      line(`runs.curve ${JSON.stringify(part)}, ms`, spread(times));
    }
    const loads: number[] = [];
    const zooms: number[] = [];
    const tasks: Span[] = [];
    for (let i = 0; i < 5; i++) {
      const { page, close } = await openObserved(host.url);
      loads.push((await paints(page)).useful);
      zooms.push(await zoom(page));
      tasks.push(...(await seenSince(page, 0)).tasks);
      await close();
    }
    line('page: list and loss chart drawn, ms', spread(loads));
    line('zoom to a hundredth: every step drawn, ms after the button is let go', spread(zooms));
    line('long tasks, all five times', longTasks(tasks));
  } finally {
    await host.close();
  }
}

/** Drags over a hundredth of the chart; milliseconds until it says that every step is drawn. */
async function zoom(page: Page): Promise<number> {
  const box = await page.locator('.canvas').first().boundingBox();
  if (box === null) throw new Error('There is no chart.');
  const x = box.x + box.width * 0.4;
  const y = box.y + box.height / 2;
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + box.width / 100, y, { steps: 4 });
  const shown = whenShown(page, '.foot', 'Every step');
  await page.mouse.up();
  const released = await now(page);
  return (await shown) - released;
}

/** A list of 500 runs: painting it, and searching in it. */
export async function measureMany(count = 500): Promise<void> {
  heading(`${count} runs in the list`);
  const tags = [['baseline'], ['ablation', 'wide'], []];
  const host = await hostRuns(
    Array.from({ length: count }, (_, i) => ({
      ...{ name: `experiment ${i + 1}`, steps: 200, running: false, tags: tags[i % 3] },
    })),
  );
  try {
    const useful: number[] = [];
    const loading: Span[] = [];
    const typing: Span[] = [];
    const longest: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { page, close } = await openObserved(host.url);
      useful.push((await paints(page)).useful);
      await delay(500);
      loading.push(...(await seenSince(page, 0)).tasks);
      const longestTask = await traceTasks(page);
      const began = await now(page);
      await page.getByRole('searchbox').click();
      await page.keyboard.type('experiment 41 wide', { delay: 120 });
      await delay(200);
      for (let key = 0; key < 18; key++) await page.keyboard.press('Backspace', { delay: 60 });
      await delay(500);
      typing.push(...(await seenSince(page, began)).tasks);
      longest.push(await longestTask());
      await close();
    }
    line('list and loss chart drawn, ms', spread(useful));
    line('long tasks while loading, all five times', longTasks(loading));
    line('long tasks while typing and erasing, all five times', longTasks(typing));
    line('processor time of the longest task while typing, ms', spread(longest));
  } finally {
    await host.close();
  }
}
