/** What a page tells about its own speed: paints, long tasks, frames, memory, processor time. */
import type { Page } from 'playwright-core';
import { openPage, type OpenPage } from '../../tests/browser/app.ts';

/** Runs in the page before everything else; a text, as these types know no DOM. */
const observer = `
(() => {
  const seen = { firstPaint: null, tasks: [], gaps: [] };
  window.__seen = seen;
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries())
      if (name === 'first-contentful-paint') seen.firstPaint = startTime;
  }).observe({ type: 'paint', buffered: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.tasks.push({ startTime, duration });
  }).observe({ type: 'longtask', buffered: true });
  let before = performance.now();
  const frame = (now) => {
    if (now - before > 100) seen.gaps.push({ startTime: before, duration: now - before });
    before = now;
    if (seen.counts) requestAnimationFrame(frame);
  };
  window.__countFrames = () => { seen.counts = true; before = performance.now(); requestAnimationFrame(frame); };
  // Two frames after the change that shows it, it is on the screen.
  window.__shown = (selector, text) => new Promise((resolve) => {
    const isThere = () => [...document.querySelectorAll(selector)].some((element) =>
      element.textContent.includes(text));
    const done = () => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    if (isThere()) { done(); return; }
    const changes = new MutationObserver(() => {
      if (!isThere()) return;
      changes.disconnect();
      done();
    });
    changes.observe(document, { childList: true, subtree: true, characterData: true });
  });
  window.__ready = Promise.all([
    window.__shown('[data-run]', ''),
    window.__shown('.foot', 'step'),
  ]).then((times) => Math.max(...times));
})();
`;

/** Opens an address in a fresh profile with the observer in it. */
export async function openObserved(url: string): Promise<OpenPage> {
  const opened = await openPage('about:blank');
  await opened.page.addInitScript(observer);
  await opened.page.goto(url, { waitUntil: 'commit' });
  return opened;
}

/**
 * Milliseconds from the navigation to the first contentful paint, and to the frame in which the list
 * of runs and the loss chart are drawn.
 */
export async function paints(page: Page): Promise<{ first: number; useful: number }> {
  const useful = await page.evaluate<number>('window.__ready');
  await page.waitForFunction('window.__seen.firstPaint !== null');
  return { first: await page.evaluate<number>('window.__seen.firstPaint'), useful };
}

/** Milliseconds on the page's clock when some element that fits the selector shows the text. */
export function whenShown(page: Page, selector: string, text: string): Promise<number> {
  const args = [selector, text].map((each) => JSON.stringify(each)).join(', ');
  return page.evaluate(`window.__shown(${args})`);
}

/** In milliseconds on the page's clock. */
export interface Span {
  startTime: number;
  duration: number;
}

export interface Seen {
  /** Long tasks: more than 50 ms. */
  tasks: Span[];
  /** Between two frames, where it was more than 100 ms. */
  gaps: Span[];
}

/** Seen from a moment on, on the page's clock. */
export async function seenSince(page: Page, moment: number): Promise<Seen> {
  const { tasks, gaps } = await page.evaluate<Seen>('window.__seen');
  const later = ({ startTime }: Span): boolean => startTime >= moment;
  return { tasks: tasks.filter(later), gaps: gaps.filter(later) };
}

/** The page's clock, in milliseconds. */
export const now = (page: Page): Promise<number> => page.evaluate('performance.now()');

export interface Usage {
  /** Seconds of processor time: of the page's process, of its main thread, of the process that draws. */
  renderer: number;
  mainThread: number;
  drawing: number;
  /** Bytes of JavaScript's heap after a collection. */
  heap: number;
}

/** Processor time since the meter was made, and memory. */
export async function createMeter(page: Page): Promise<() => Promise<Usage>> {
  const session = await page.context().newCDPSession(page);
  const whole = await page.context().browser()?.newBrowserCDPSession();
  if (whole === undefined) throw new Error('The page has no browser.');
  await session.send('Performance.enable');
  const read = async (): Promise<Usage> => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
    const metric = (name: string): number =>
      metrics.find((each) => each.name === name)?.value ?? NaN;
    const time = (type: string): number =>
      processInfo.filter((each) => each.type === type).reduce((sum, each) => sum + each.cpuTime, 0);
    return {
      renderer: time('renderer'),
      drawing: time('GPU'),
      mainThread: metric('TaskDuration'),
      heap: metric('JSHeapUsedSize'),
    };
  };
  const first = await read();
  return async () => {
    const { renderer, drawing, mainThread, heap } = await read();
    return {
      renderer: renderer - first.renderer,
      drawing: drawing - first.drawing,
      mainThread: mainThread - first.mainThread,
      heap,
    };
  };
}

/**
 * Begins to trace; the function that ends it gives the processor time of the page's longest task, in
 * milliseconds. A long task is long on the clock: beside other programs also because it had to wait.
 */
export async function traceTasks(page: Page): Promise<() => Promise<number>> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('The page has no browser.');
  await browser.startTracing(page, { categories: ['-*', 'toplevel', '__metadata'] });
  return async () => {
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
      traceEvents: TraceEvent[];
    };
    const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
    const mainThreads = new Set(
      traceEvents
        .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
        .map(threadOf),
    );
    const times = traceEvents
      .filter((event) => event.tdur !== undefined && mainThreads.has(threadOf(event)))
      .map(({ tdur = 0 }) => tdur / 1000);
    return times.reduce((longest, time) => Math.max(longest, time), 0);
  };
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Processor time, in microseconds. */
  tdur?: number;
  args: { name?: string };
}
