import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import type { Match } from '../../../core/contract/records.ts';
import { changedSettings, unmatchedWords } from './matchSummary.ts';

const dense = resolveConfig({ model: { attention: 'dense', heads: 8 } });

test('settings are those that differ; one without effect on a side has a dash there', () => {
  const moa = resolveConfig({ model: { attention: 'moa', heads: 2, experts: 8 } });
  const rows = changedSettings(dense, moa).map(({ label, from, to }) => [label, from, to]);
  const of = (label: string): string[] | undefined => rows.find(([each]) => each === label);
  assert.deepEqual(of('Heads (H)'), ['Heads (H)', '8', '2']);
  assert.deepEqual(of('Attention experts (E)'), ['Attention experts (E)', '–', '8']);
  assert.deepEqual(of('MoA gate'), ['MoA gate', '–', 'softmax']);
  assert.equal(of('Layers (L)'), undefined);
  assert.equal(of('Selection'), undefined);
});

test('what remains unmatched is said with its sign', () => {
  const words = (parameters: number, macs: number): string =>
    unmatchedWords({ unmatched: { parameters, macs } } as Match);
  assert.equal(words(-80, 2_100_000), '80 parameters fewer, 2.10M attention MACs a layer more');
  assert.equal(words(0, -5), 'exactly the parameters, 5 attention MACs a layer fewer');
});
