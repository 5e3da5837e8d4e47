import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from './format.ts';

test('numbers are readable and have their unit', () => {
  assert.equal(format.count(0), '0');
  assert.equal(format.count(98_304), '98,304');
  assert.equal(format.count(848_896), '848,896');
  assert.equal(format.count(1_234_567), '1.23M');
  assert.equal(format.count(999_999.7), '1.00M');
  assert.equal(format.count(170_400_000), '170.4M');
  assert.equal(format.count(2_130_000_000), '2.13G');
  assert.equal(format.bytes(512), '512 B');
  assert.equal(format.bytes(1023), '1.00 KiB');
  assert.equal(format.bytes(1.2 * 2 ** 30), '1.20 GiB');
  assert.equal(format.flops(820e6), '820 MFLOP/s');
  assert.equal(format.flops(43.14e9), '43.1 GFLOP/s');
  assert.equal(format.flops(212e12), '212 TFLOP/s');
  assert.equal(format.milliseconds(0.416), '0.42 ms');
  assert.equal(format.milliseconds(98.24), '98.2 ms');
  assert.equal(format.milliseconds(1240), '1,240 ms');
  assert.equal(format.rate(0.003), '3.00e-3');
  assert.equal(format.rate(0), '0');
  assert.equal(format.rate(0.5), '0.500');
  assert.equal(format.loss(1.77119), '1.7712');
  assert.equal(format.loss(null), '–');
  assert.equal(format.ratio(98, 100), '0.98×');
  assert.equal(format.ratio(1, 0), '–');
  assert.equal(format.ratio(1, 1000), '<0.01×');
  assert.equal(format.ratio(0, 1000), '0.00×');
  assert.equal(format.percent(0.9), '90.0 %');
  assert.equal(format.percent(0.0001), '<0.1 %');
  assert.equal(format.percent(0), '0.0 %');
  assert.equal(format.plural(1, 'step'), '1 step');
  assert.equal(format.plural(2000, 'step'), '2,000 steps');
});

test('durations carry over into the next unit', () => {
  assert.equal(format.duration(0.085), '85 ms');
  assert.equal(format.duration(1.44), '1.4 s');
  assert.equal(format.duration(59.4), '59 s');
  assert.equal(format.duration(59.6), '1 min 00 s');
  assert.equal(format.duration(125), '2 min 05 s');
  assert.equal(format.duration(3599.7), '1 h 00 min');
  assert.equal(format.duration(12_000), '3 h 20 min');
});

void test('settings are grouped and have no noise in their last digits', () => {
  assert.equal(format.setting(131_072), '131,072');
  assert.equal(format.setting(0.029500000000000002), '0.0295');
  assert.equal(format.setting(0.9999999), '0.9999999');
  assert.equal(format.setting(1e-8), '1e-8');
  assert.equal(format.setting('rope'), 'rope');
});
