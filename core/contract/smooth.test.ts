import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smooth, thin, type Point } from './smooth.ts';

/** The definition, in quadratic time. */
function directly(points: readonly Point[], halfLife: number): number[] {
  return points.map(([x]) => {
    const weights = points.map(([other]) => 2 ** (-Math.abs(other - x) / halfLife));
    const total = weights.reduce((a, b) => a + b, 0);
    return points.reduce((sum, [, y], i) => sum + (weights[i] * y) / total, 0);
  });
}

test('smoothing is the two-sided exponential average of its definition, on uneven points', () => {
  const points = [1, 2, 3, 7, 8, 20, 21, 22, 40].map((x): Point => [x, Math.sin(x) + x / 10]);
  for (const halfLife of [0.5, 3, 100]) {
    const expected = directly(points, halfLife);
    const actual = smooth(points, halfLife);
    assert.deepEqual(
      actual.map(([x]) => x),
      points.map(([x]) => x),
    );
    for (const [i, [, y]] of actual.entries()) assert.ok(Math.abs(y - expected[i]) < 1e-12);
  }
});

test('smoothing keeps constants and does not lag: a straight line stays, away from the ends', () => {
  const flat = Array.from({ length: 50 }, (_, x): Point => [x, 3]);
  for (const [, y] of smooth(flat, 5)) assert.ok(Math.abs(y - 3) < 1e-12);
  const line = Array.from({ length: 401 }, (_, x): Point => [x, 2 * x]);
  assert.ok(Math.abs(smooth(line, 5)[200][1] - 400) < 1e-6);
  assert.deepEqual(smooth([], 5), []);
  assert.deepEqual(smooth([[4, 2]], 5), [[4, 2]]);
});

test('a summary, weighted by how many points each of its own stands for, is smoothed like the points', () => {
  const steps = Array.from({ length: 1200 }, (_, x): Point => [x, 4 * Math.exp(-x / 300)]);
  // Four steps a point in the first half, twelve in the second.
  const sizes = [...Array.from({ length: 150 }, () => 4), ...Array.from({ length: 50 }, () => 12)];
  let start = 0;
  const summary = sizes.map((size): Point => {
    const stretch = steps.slice(start, (start += size));
    const mean = (values: number[]): number => values.reduce((a, b) => a + b) / size;
    return [mean(stretch.map(([x]) => x)), mean(stretch.map(([, y]) => y))];
  });
  const all = smooth(steps, 60);
  for (const [x, y] of smooth(summary, 60, (index) => sizes[index])) {
    const exact = (all[Math.floor(x)][1] + all[Math.ceil(x)][1]) / 2;
    assert.ok(Math.abs(y - exact) < 0.01 * exact, `${x}: ${y} for ${exact}`);
  }
});

test('thinning keeps order, the ends of the range, and every extreme', () => {
  const points = Array.from({ length: 100_000 }, (_, x): Point => [x, Math.sin(x / 9000)]);
  points[31_415] = [31_415, 50];
  points[77_777] = [77_777, -50];
  const kept = thin(points, 1000);
  assert.ok(kept.length <= 1000);
  assert.ok(kept.some(([x, y]) => x === 31_415 && y === 50));
  assert.ok(kept.some(([x, y]) => x === 77_777 && y === -50));
  for (let i = 1; i < kept.length; i++) assert.ok(kept[i][0] > kept[i - 1][0]);
  assert.deepEqual(thin(points.slice(0, 900), 1000), points.slice(0, 900));
});
