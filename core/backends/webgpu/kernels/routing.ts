/** The choice of experts by their logits, and its gradient. */
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Kernels } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { perThread, threadGrid } from './grid.ts';

export const routingKernels = {
  // One thread a group of a token: k times the best logit behind the last chosen one.
  select: ({ inputs, outputs, attributes: { groups, k, weights: kind } }, setup) => {
    const experts = last(inputs[0].shape) / groups;
    const slots = rowsOf(inputs[0].shape) * groups;
    const [logits, indices, weights] = [...inputs, ...outputs].map((tensor) =>
      setup.operand(tensor),
    );
    const weight = kind === 'sigmoid' ? 'sigmoid(best)' : 'best';
    return [
      {
        kernel: `select ${k} of ${experts}`,
        reads: { logits },
        writes: { indices, weights },
        code: `
// Without exponentials that overflow.
fn sigmoid(x: f32) -> f32 {
  let small = exp(-abs(x));
  return select(small, 1.0, x >= 0.0) / (1.0 + small);
}
${perThread(
  slots,
  `  var best = 0.0;
  var chosen = 0u;
  for (var choice = 0u; choice < ${k}u; choice++) {
    let previous = best;
    let previousExpert = chosen;
    var isFound = false;
    for (var expert = 0u; expert < ${experts}u; expert++) {
      let logit = f32(logits[i * ${experts}u + expert]);
      let isLeft = choice == 0u || logit < previous
        || (logit == previous && expert > previousExpert);
      if (isLeft && (!isFound || logit > best)) {
        isFound = true;
        best = logit;
        chosen = expert;
      }
    }
    indices[i * ${k}u + choice] = i32(chosen);
    weights[i * ${k}u + choice] = ${wgslType(weights)}(${weight});
  }`,
)}`,
        workgroups: threadGrid(slots),
      },
    ];
  },

  // One thread an expert of a group of a token: it looks for itself among the chosen.
  selectGrad: ({ inputs, outputs, attributes: { k, experts, weights: kind } }, setup) => {
    const [indices, weights, dWeights, dLogits] = [...inputs, ...outputs].map((tensor) =>
      setup.operand(tensor),
    );
    const isSigmoid = kind === 'sigmoid';
    const slope = isSigmoid ? 'f32(dWeights[at]) * w * (1.0 - w)' : 'f32(dWeights[at])';
    return [
      {
        kernel: 'selectGrad',
        reads: { indices, ...(isSigmoid ? { weights } : {}), dWeights },
        writes: { dLogits },
        code: perThread(
          dLogits.length,
          `  let slot = i / ${experts}u;
  let expert = i32(i % ${experts}u);
  var gradient = 0.0;
  for (var choice = 0u; choice < ${k}u; choice++) {
    let at = slot * ${k}u + choice;
    if (indices[at] == expert) {${isSigmoid ? '\n      let w = f32(weights[at]);' : ''}
      gradient = ${slope};
    }
  }
  dLogits[i] = ${wgslType(dLogits)}(gradient);`,
        ),
        workgroups: threadGrid(dLogits.length),
      },
    ];
  },
} satisfies Partial<Kernels>;
