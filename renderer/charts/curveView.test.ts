import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Tracer, curveView, type History, type ViewOptions } from './curveView.ts';
import { drawnNote } from './drawnNote.ts';
import { ticks } from './scale.ts';
import { splice } from './stretches.ts';
import { points, run, summary, validation } from './testing/records.ts';

const options: ViewOptions = {
  metric: 'loss',
  axis: 'step',
  halfLife: 5,
  logX: false,
  logY: false,
  range: null,
  most: 800,
  rows: 6,
};

/** Falls from 5.5 to `floor`, with a spike of 7 at one step. */
const falling =
  (steps: number, floor: number, spike = -1) =>
  (step: number): number =>
    step === spike ? 7 : floor + (5.5 - floor) * Math.exp((-12 * step) / steps);

const history = (name: string, steps = points(600, falling(600, 1.6))): History => ({
  run: run(name),
  points: steps,
  validations: [validation(300, 1.8), validation(600, 1.7)],
});

describe('axes', () => {
  test('hold everything after the opening; what lies above is said', () => {
    const view = curveView([history('a')], options);
    assert.deepEqual([view.x.low, view.x.high], [0, 600]);
    assert.ok(view.y.low <= 1.6 && view.y.high < 5.5);
    const labels = ticks(view.y, 6);
    assert.deepEqual([labels.at(0), labels.at(-1)], [view.y.low, view.y.high]);
    assert.equal(view.openingAbove, 30);
    assert.match(drawnNote(view, 'loss').join(' '), /in the first 30 steps lie outside the plot/u);
  });

  test('a spike after the opening stays inside, also where a point stands for many steps', () => {
    const spiked = points(60_000, falling(60_000, 1.6, 40_001));
    for (const kept of [spiked, summary(spiked, 30)]) {
      const view = curveView([history('a', kept)], { ...options, most: 500 });
      assert.ok(view.y.high >= 7);
      assert.ok(view.curves[0].stretches.some(({ high }) => high === 7));
      assert.ok(view.curves[0].stretches.length <= 500);
    }
  });

  test('a run that has diverged does not flatten the others; how far it went is said', () => {
    const diverged = points(600, (step) => (step < 200 ? falling(600, 2)(step) : 10_340));
    const view = curveView([history('a'), history('b', diverged)], options);
    assert.ok(view.y.high <= 4);
    assert.equal(view.outside, 10_340);
    assert.match(
      drawnNote(view, 'loss').join(' '),
      /^.*Values above [\d.]+, up to 10,300, lie outside the plot\.$/u,
    );
    assert.equal(curveView([history('a')], options).outside, null);
    const all = curveView([history('b', diverged)], { ...options, logY: true });
    assert.ok(all.y.high > 10_340 && all.outside === null);
  });

  test('tokens and time place points and validations by what the record says', () => {
    const tokens = curveView([history('a')], { ...options, axis: 'tokens' });
    assert.equal(tokens.x.high, 600 * 2048);
    assert.deepEqual(tokens.curves[0].validations[0], [300 * 2048, 1.8]);
    const time = curveView([history('a')], { ...options, axis: 'time' });
    assert.equal(time.x.high, 60);
    assert.deepEqual(time.curves[0].validations[1], [60, 1.7]);
  });

  test('a logarithmic axis begins at the first point, and nothing at all has axes too', () => {
    const view = curveView([history('a')], { ...options, logX: true, logY: true });
    assert.deepEqual([view.x.low, view.x.high], [1, 600]);
    assert.ok(view.y.low > 1 && view.y.high > 5);
    const none = curveView([{ run: run('a'), points: [], validations: [] }], options);
    assert.ok(none.x.high > none.x.low && none.y.high > none.y.low);
    assert.deepEqual(drawnNote(none, 'loss'), []);
  });

  test('bytes have round values in their own unit', () => {
    const { y } = curveView([history('a')], { ...options, metric: 'tensorBytes' });
    assert.ok(ticks(y, 6).includes(2 ** 20));
  });

  test('a loss that is not a number has no place', () => {
    const broken = points(40, (step) => (step === 20 ? NaN : 2));
    assert.equal(curveView([history('a', broken)], options).curves[0].stretches.length, 39);
  });
});

describe('smoothing', () => {
  test('is the same on every axis', () => {
    const [step, tokens, time] = (['step', 'tokens', 'time'] as const).map((axis) =>
      curveView([history('a')], { ...options, axis }).curves[0].smoothed.map(([, y]) => y),
    );
    assert.deepEqual(tokens, step);
    assert.deepEqual(time, step);
  });

  test('of a summary is that of its steps', () => {
    const steps = points(6000, falling(6000, 1.6));
    const wide = { ...options, halfLife: 60, most: 10_000 };
    const all = curveView([history('a', steps)], wide).curves[0].smoothed;
    for (const [x, y] of curveView([history('a', summary(steps, 6))], wide).curves[0].smoothed)
      assert.ok(Math.abs(y - all[Math.round(x) - 1][1]) < 0.01);
  });

  test('is automatic by the length of each run, and the caption says so', () => {
    const long = history('long', points(30_000, falling(30_000, 1.6)));
    const view = curveView([history('short'), long], { ...options, halfLife: null });
    assert.deepEqual(
      view.curves.map(({ halfLife }) => halfLife),
      [5, 500],
    );
    assert.match(
      drawnNote(view, 'loss').join(' '),
      /half-life 5 to 500 steps, about 1 % of each run\./u,
    );
  });

  test('is off at 0 and for what is not noisy', () => {
    assert.equal(
      curveView([history('a')], { ...options, halfLife: 0 }).curves[0].smoothed.length,
      0,
    );
    const rate = curveView([history('a')], { ...options, metric: 'learningRate' });
    assert.equal(rate.curves[0].smoothed.length, 0);
    assert.equal(rate.y.low, 0);
  });

  test('is computed again only for a curve that has changed', () => {
    const tracer = new Tracer();
    const [still, live] = [history('still'), history('live')];
    const before = [still, live].map((each) => tracer.trace(each, options));
    assert.equal(tracer.trace(still, options), before[0]);
    const grown = { ...live, points: [...live.points] };
    assert.notEqual(tracer.trace(grown, options), before[1]);
    assert.notEqual(tracer.trace(still, { ...options, halfLife: 9 }), before[0]);
  });
});

describe('what is drawn', () => {
  const steps = points(6000, falling(6000, 1.6));
  const note = (kept: typeof steps, change: Partial<ViewOptions> = {}): string =>
    drawnNote(
      curveView([history('a', kept)], { ...options, ...change }),
      change.metric ?? 'loss',
    )[0];

  test('is said: every step, or how many steps a point stands for', () => {
    assert.equal(note(steps.slice(0, 600)), 'Every step; drag to zoom.');
    assert.equal(
      note(summary(steps, 12)),
      'Each point stands for 12 steps (lowest to highest); drag to zoom in for every step.',
    );
    assert.equal(
      note(steps, { most: 600 }),
      'Each point stands for 10 steps (lowest to highest); drag to zoom in for every step.',
    );
    assert.equal(
      note(summary(steps, 12), { metric: 'gradientNorm' }),
      'Each point stands for 12 steps (their mean); drag to zoom in for every step.',
    );
    assert.equal(
      note(summary(steps, 12), { metric: 'tensorBytes' }),
      'Each point stands for 12 steps (as of the last); drag to zoom in for every step.',
    );
    assert.equal(
      note(summary(steps, 12), { metric: 'gradientNorm', most: 200 }),
      'Each point stands for 36 steps (lowest to highest mean of 12); drag to zoom in for every step.',
    );
  });

  test('a live end at full resolution is not drawn denser than the summary before it', () => {
    const grown = [...summary(steps.slice(0, 5400), 12), ...steps.slice(5400)];
    const { stretches } = curveView([history('a', grown)], { ...options, most: 500 }).curves[0];
    assert.ok(stretches.every(({ count }) => count <= 24));
    assert.ok(stretches.filter(({ step }) => step > 5400).length <= 51);
  });

  test('after a zoom, every step of the visible part that was read anew', () => {
    const refined = splice(summary(steps, 12), steps.slice(2400, 3000));
    const zoomed = { range: [2500, 2900] as const };
    assert.equal(note(summary(steps, 12), zoomed).startsWith('Each point stands for 12'), true);
    assert.equal(note([...refined], zoomed), 'Every step; drag to zoom.');
    assert.equal(
      refined.reduce((sum, { count }) => sum + count, 0),
      6000,
    );
  });
});

test('accuracies are drawn one a validation, from nothing to the highest, and without validations of their own', () => {
  const accuracies = [0.2, 0.9, null].map((accuracy, i) => ({
    ...validation(300 * (i + 1), 1),
    accuracy,
  }));
  const classifier = {
    ...history(
      'a',
      points(900, () => 1),
    ),
    validations: accuracies,
  };
  const view = curveView([classifier], { ...options, metric: 'accuracy' });
  const [{ stretches, validations }] = view.curves;
  assert.deepEqual(
    stretches.map(({ x, mean }) => [x, mean]),
    [
      [300, 0.2],
      [600, 0.9],
    ],
  );
  assert.deepEqual(validations, []);
  assert.equal(view.y.low, 0);
  assert.ok(view.y.high >= 0.9);
  assert.match(drawnNote(view, 'accuracy').join(' '), /^Every validation/u);
});

test('a tracer that has traced losses traces accuracies anew', () => {
  const tracer = new Tracer();
  const classifier = {
    ...history('a'),
    validations: [{ ...validation(300, 1), accuracy: 0.5 }],
  };
  curveView([classifier], options, tracer);
  const [{ stretches }] = curveView(
    [classifier],
    { ...options, metric: 'accuracy' },
    tracer,
  ).curves;
  assert.equal(stretches.length, 1);
});
