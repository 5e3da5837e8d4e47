/** What a configuration costs, before it runs. */
import type { ModelConfig } from '../contract/config.ts';
import type { Resources } from '../contract/records.ts';
import { sizeOf } from '../graph/graph.ts';
import type { Part } from './parameters.ts';
import { modelParameters } from './plans.ts';

/** MoE projections among Q, K, V, O, and selection sides, of SwitchHead as built: V and O. */
const moeProjections = 2;
const selectionSides = 2;

/**
 * One attention layer on one sequence, as the paper's tables print it (SwitchHead paper, equations
 * 11-14 as corrected in docs/design.md). Accepts any head width.
 * @returns macs: multiply-accumulates; floats: activations and attention matrices kept
 */
export function attentionCost(model: ModelConfig): { macs: number; floats: number } {
  const { context: T, width: D, heads: H, headWidth: P, experts: E, activeExperts: k } = model;
  if (model.attention === 'dense')
    return { macs: H * (4 * T * P * D + 2 * T * T * P), floats: H * (4 * T * P + 2 * T * T) };
  const n = moeProjections;
  return {
    macs:
      2 * H * T * T * P +
      (k * n + 4 - n) * H * T * P * D +
      n * H * k * T * P +
      selectionSides * E * D * T,
    floats: 2 * H * T * T + 4 * H * T * P + selectionSides * E * T,
  };
}

/** One feed-forward layer on one sequence, selection included. */
export function feedForwardCost(model: ModelConfig): { macs: number } {
  const { context: T, width: D } = model;
  if (model.feedForward === 'dense') return { macs: 2 * T * D * model.feedForwardWidth };
  const { feedForwardExperts, feedForwardExpertWidth, feedForwardActiveExperts } = model;
  return {
    macs:
      T * D * feedForwardExperts + 2 * feedForwardActiveExperts * T * D * feedForwardExpertWidth,
  };
}

/** Parameters (exact, counted from the model itself) and analytic costs of a configuration. */
export function computeResources(model: ModelConfig, vocabulary: number): Resources {
  const counts: Record<Part, number> = {
    embedding: 0,
    attention: 0,
    feedForward: 0,
    normalisation: 0,
    output: 0,
  };
  for (const { part, shape } of modelParameters(model, vocabulary)) counts[part] += sizeOf(shape);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const attentionLayer = attentionCost(model);
  const feedForwardLayer = feedForwardCost(model);
  const output = model.context * model.width * vocabulary;
  return {
    parameters: { ...counts, total },
    attentionLayer,
    feedForwardLayer,
    model: { macs: model.layers * (attentionLayer.macs + feedForwardLayer.macs) + output },
  };
}
