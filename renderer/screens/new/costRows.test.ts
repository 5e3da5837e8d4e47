import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cost, Resources } from '../../../core/contract/records.ts';
import { layerRows, modelRows } from './costRows.ts';

const cost = (macs: number, floats: number): Cost => ({ macs, floats });
const resources: Resources = {
  parameters: {
    ...{ embedding: 10, projections: 20, selection: 3, positions: 4 },
    ...{ feedForward: 50, normalisation: 6, output: 7, total: 100 },
  },
  layerParameters: {
    ...{ embedding: 0, projections: 10, selection: 2, positions: 2 },
    ...{ feedForward: 25, normalisation: 2, output: 0, total: 41 },
  },
  layer: {
    ...{ projections: cost(1, 2), attentionCore: cost(3, 4), selection: cost(5, 6) },
    ...{ positions: cost(7, 8), feedForward: cost(9, 10) },
    ...{ attention: cost(16, 20), total: cost(25, 30) },
  },
  model: {
    ...{ projections: cost(2, 4), attentionCore: cost(6, 8), selection: cost(10, 12) },
    ...{ positions: cost(14, 16), feedForward: cost(18, 20) },
    ...{ embedding: cost(0, 1), output: cost(100, 200), total: cost(150, 261) },
  },
};

test('what is no part of another row adds up to the total, and the parts to their attention', () => {
  for (const rows of [modelRows(resources), layerRows(resources)]) {
    const total = rows.find(({ kind }) => kind === 'total');
    const attention = rows.find(({ label }) => label === 'Attention');
    for (const quantity of ['parameters', 'macs', 'floats'] as const) {
      const of = (kind: string): number =>
        rows.reduce((sum, row) => sum + (row.kind === kind ? (row[quantity] ?? 0) : 0), 0);
      assert.equal(of('whole'), total?.[quantity] ?? 0, quantity);
      assert.equal(of('part'), attention?.[quantity] ?? 0, quantity);
    }
  }
});

test('the attention of one layer is the one that the core counted, not a sum of its own', () => {
  const counted = { ...resources, layer: { ...resources.layer, attention: cost(17, 21) } };
  const attention = layerRows(counted).find(({ label }) => label === 'Attention');
  assert.deepEqual([attention?.macs, attention?.floats], [17, 21]);
});
