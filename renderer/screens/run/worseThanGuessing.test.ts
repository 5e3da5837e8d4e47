import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import { finishedRun } from '../../../core/contract/testing/runRecord.ts';
import { worseThanGuessing } from './worseThanGuessing.ts';

const guessing = Math.log(256);

test('a loss well above guessing all tokens alike is told, validation first', () => {
  assert.equal(worseThanGuessing(finishedRun('fine'), 256), null);
  assert.equal(worseThanGuessing(finishedRun('near', { lastTrainLoss: 6 }), 256), null);
  assert.deepEqual(worseThanGuessing(finishedRun('bad', { lastTrainLoss: 7 }), 256), {
    ...{ kind: 'training', loss: 7, guessing },
    among: 'the 256 tokens of the vocabulary',
  });
  const both = finishedRun('worse', { lastTrainLoss: 7, lastValidationLoss: 8 });
  assert.equal(worseThanGuessing(both, 256)?.kind, 'validation');
  assert.equal(worseThanGuessing(both, 30_000), null);
});

test('a classifier guesses among its classes, whatever the vocabulary', () => {
  const config = resolveConfig({ model: { task: 'classification' } });
  const poor = finishedRun('poor', { config, lastValidationLoss: 2.9, lastTrainLoss: 2.2 });
  const { guessing, among } = worseThanGuessing(poor, 18) ?? {};
  assert.equal(guessing, Math.log(10));
  assert.equal(among, 'the 10 classes');
  assert.equal(worseThanGuessing({ ...poor, lastValidationLoss: 2.3 }, 18), null);
});

test('nothing is said during warm-up, nor of a run without a loss', () => {
  const early = finishedRun('early', { status: 'running', step: 10, lastTrainLoss: 9 });
  assert.equal(worseThanGuessing(early, 256), null);
  const none = finishedRun('none', { lastTrainLoss: null, lastValidationLoss: null });
  assert.equal(worseThanGuessing(none, 256), null);
});
