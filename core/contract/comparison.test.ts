import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, measureCautions, sameData, sameMeasure, signedLoss } from './comparison.ts';
import { resolveConfig } from './resolveConfig.ts';
import { finishedRun as run } from './testing/runRecord.ts';

const dense = run('dense');

test('the best is the lowest validation loss; costs are relative to the first run', () => {
  const sparse = run('sparse', { bestValidationLoss: 1.7, attentionMacs: 6_300_000 });
  const { best, reference, ratios } = judge([dense, sparse]);
  assert.deepEqual([best, reference], [sparse.id, dense.id]);
  assert.equal(ratios[sparse.id].attentionMacs, 0.5);
  const fresh = run('fresh', { millisecondsPerStep: null });
  assert.equal(judge([dense, fresh]).ratios[fresh.id].millisecondsPerStep, null);
});

test('losses compare on the same data, measurements on the same device and step size', () => {
  const elsewhere = run('elsewhere', { datasetId: 'd-2', device: 'another' });
  const larger = run('larger', { config: resolveConfig({ training: { batch: 32 } }) });
  assert.equal(sameData([dense, elsewhere]), false);
  assert.equal(judge([dense, elsewhere]).best, null);
  assert.deepEqual(
    [elsewhere, larger].map((other) => sameMeasure(other, dense)),
    [false, false],
  );
  assert.match(measureCautions([dense, elsewhere])[0], /different devices/u);
  assert.match(measureCautions([dense, larger])[0], /different numbers of tokens/u);
  assert.deepEqual(
    measureCautions([dense, run('unmeasured', { device: null, millisecondsPerStep: null })]),
    [],
  );
});

test('differences of losses have a sign', () => {
  assert.deepEqual([signedLoss(0.012), signedLoss(-0.03)], ['+0.0120', '−0.0300']);
});
