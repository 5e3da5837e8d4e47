/** A training step of two matrices, for what goes beyond single ops. */
import { differentiate } from '../differentiate.ts';
import { Graph } from '../graph.ts';
import { adamw } from '../ops/adamw.ts';
import { attention } from '../ops/attention.ts';
import { dropout } from '../ops/dropout.ts';
import { globalNorm } from '../ops/globalNorm.ts';
import { matmul } from '../ops/matmul.ts';
import { mean } from '../ops/mean.ts';
import { rope } from '../ops/rope.ts';
import { plan, type Costs, type Plan } from '../plan.ts';

/** Values between −1 and 1 that repeat with no short period. */
export function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + 0.3));
}

/** A training step small enough to read: attention, dropout, clipping and AdamW on two matrices. */
export function smallStep(costs?: Costs): Plan {
  const graph = new Graph();
  const x = graph.input('x', [2, 5, 8], 'f32');
  const names = ['qk', 'v'];
  const parameters = names.map((name) => graph.variable(name, [8, 8]));
  const rotation = { heads: 2, rotated: 2, base: 100, offset: 0, inverse: false };
  const q = rope(matmul(x, parameters[0]), rotation);
  const v = matmul(dropout(x, { rate: 0.25, site: 3 }), parameters[1], { activation: 'relu' });
  const [y] = attention(
    { q, k: q, v },
    { heads: 2, keyHeads: 2, causal: true, scale: 0.5, save: 'probabilities' },
  );
  const loss = mean(y);
  const gradients = differentiate(loss, parameters, graph.uniform('lossScale'));
  const moment = (kind: string) => names.map((name) => graph.variable(`${kind}/${name}`, [8, 8]));
  const next = adamw(parameters, gradients, moment('m'), moment('v'), globalNorm(gradients), {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    clip: 0.1,
  });
  return plan(graph, {
    outputs: { loss },
    updates: names.flatMap((name, i) => [
      [name, next.parameters[i]] as const,
      [`m/${name}`, next.m[i]] as const,
      [`v/${name}`, next.v[i]] as const,
    ]),
    ...(costs === undefined ? {} : { costs }),
  });
}
