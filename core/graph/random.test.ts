import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropoutMask, pcg4d, stream, uniform, uniformInteger } from './random.ts';

/** pcg4d with big integers, written from the paper's listing, as an independent check. */
function pcg4dExact(input: readonly [number, number, number, number]): number[] {
  const mask = 0xffff_ffffn;
  let [x, y, z, w] = input.map((value) => (BigInt(value) * 1664525n + 1013904223n) & mask);
  const mix = () => {
    x = (x + y * w) & mask;
    y = (y + z * x) & mask;
    z = (z + x * y) & mask;
    w = (w + y * z) & mask;
  };
  mix();
  [x, y, z, w] = [x, y, z, w].map((value) => value ^ (value >> 16n));
  mix();
  return [x, y, z, w].map(Number);
}

void test('the hash is pcg4d of Jarzynski & Olano', () => {
  const out = new Uint32Array(4);
  const cases: [number, number, number, number][] = [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
    [4294967295, 4294967295, 4294967295, 4294967295],
    [123456789, 0x3000_0001, 77, 3000000000],
  ];
  for (const counters of cases) {
    pcg4d(...counters, out);
    assert.deepEqual([...out], pcg4dExact(counters));
  }
});

void test('a seed above 2^31 is the same number whether passed as unsigned or as its int32 bits', () => {
  assert.equal(
    uniform(stream.batches, 0, 5, 3000000000),
    uniform(stream.batches, 0, 5, 3000000000 | 0),
  );
});

void test('uniform numbers have the moments of a uniform distribution and differ between streams', () => {
  const count = 100_000;
  const draws = Array.from({ length: count }, (_, i) => uniform(stream.batches, 3, i, 1));
  const mean = draws.reduce((a, b) => a + b, 0) / count;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  // Standard errors: 0.29/√n for the mean; five of them are a wide margin.
  assert.ok(Math.abs(mean - 0.5) < (5 * 0.2887) / Math.sqrt(count), `mean ${mean}`);
  assert.ok(Math.abs(variance - 1 / 12) < 0.001, `variance ${variance}`);
  assert.ok(draws.every((value) => value >= 0 && value < 1));
  assert.notEqual(uniform(stream.batches, 3, 0, 1), uniform(stream.dropout, 3, 0, 1));
});

void test('whole numbers cover their range and never reach its end', () => {
  const seen = new Set(
    Array.from({ length: 1000 }, (_, i) => uniformInteger(stream.batches, 0, i, 9, 7)),
  );
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
});

void test('a dropout mask drops its rate, keeps the mean, and changes with site, draw and seed', () => {
  const length = 100_000;
  const mask = dropoutMask(length, 0.2, 1, 2, 3);
  const dropped = mask.filter((factor) => factor === 0).length / length;
  assert.ok(Math.abs(dropped - 0.2) < 0.007, `dropped ${dropped}`);
  assert.ok(mask.every((factor) => factor === 0 || factor === Math.fround(1 / 0.8)));
  assert.deepEqual(dropoutMask(length, 0.2, 1, 2, 3), mask);
  for (const other of [
    dropoutMask(length, 0.2, 0, 2, 3),
    dropoutMask(length, 0.2, 1, 3, 3),
    dropoutMask(length, 0.2, 1, 2, 4),
  ]) {
    const same = other.filter((factor, i) => factor === mask[i]).length / length;
    // Independent masks agree on 0.8² + 0.2² of their elements.
    assert.ok(Math.abs(same - 0.68) < 0.01, `agreement ${same}`);
  }
});
