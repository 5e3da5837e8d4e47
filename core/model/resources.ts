/** What a configuration costs, before it runs. */
import type { ModelConfig } from '../contract/config.ts';
import {
  layerParts,
  parameterParts,
  type Cost,
  type LayerPart,
  type Resources,
} from '../contract/records.ts';
import { sizeOf } from '../graph/graph.ts';
import type { Parameter } from './parameters.ts';
import { modelParameters } from './plans.ts';
import { classes } from './transformer.ts';

const attentionParts = ['projections', 'attentionCore', 'selection', 'positions'] as const;
type AttentionPart = (typeof attentionParts)[number];
type AttentionCost = Record<AttentionPart, Cost>;

const nothing: Cost = { macs: 0, floats: 0 };

const sumOf = (costs: readonly Cost[]): Cost => ({
  macs: costs.reduce((sum, { macs }) => sum + macs, 0),
  floats: costs.reduce((sum, { floats }) => sum + floats, 0),
});

const times = ({ macs, floats }: Cost, count: number): Cost => ({
  macs: macs * count,
  floats: floats * count,
});

/**
 * Source tokens of a chunk, S = C·T: with Transformer-XL positions its memory as well. Counted is the
 * memory of training.
 */
function sources({ context, positions, memoryChunks }: ModelConfig): number {
  return context * (positions === 'xl' ? 1 + memoryChunks : 1);
}

/** H(4TPD + 2TSP + 2SPD) and H(4TP + 2TS + 2SP); the last terms are those of Transformer-XL positions. */
function denseCost(model: ModelConfig): AttentionCost {
  const { context: T, width: D, heads: H, headWidth: P } = model;
  const S = sources(model);
  return {
    projections: { macs: 4 * H * T * P * D, floats: 4 * H * T * P },
    attentionCore: { macs: 2 * H * T * S * P, floats: 2 * H * T * S },
    selection: nothing,
    positions:
      model.positions === 'xl' ? { macs: 2 * H * S * P * D, floats: 2 * H * S * P } : nothing,
  };
}

/**
 * With n_x expert projections, each of k experts: (k·n_x + 4 − n_x)·HTPD + n_x·HkTP for projections.
 * Selection is E·D·S a side, without H, as the printed numbers have it. A shared selection is one
 * side: its logits on the sources are those of the destinations too, which are among them.
 */
function switchHeadCost(model: ModelConfig): AttentionCost {
  const { context: T, width: D, heads: H, headWidth: P, experts: E, activeExperts: k } = model;
  const S = sources(model);
  const mixed = model.expertProjections.length;
  const isMixed = (side: RegExp): number => (side.test(model.expertProjections) ? 1 : 0);
  const sides = model.selection === 'shared' ? 1 : isMixed(/[kv]/u) + isMixed(/[qo]/u);
  return {
    projections: {
      macs: (k * mixed + 4 - mixed) * H * T * P * D + mixed * H * k * T * P,
      floats: 4 * H * T * P,
    },
    attentionCore: { macs: 2 * H * T * S * P, floats: 2 * H * T * S },
    selection: { macs: sides * E * D * S, floats: sides * E * S },
    positions:
      model.positions === 'xl' ? { macs: 2 * H * T * P * D, floats: 2 * H * T * P } : nothing,
  };
}

/** 2HTSP + (2H + 2)TPD + 2HTP + EDT + 2SPD, and 2HTS + (2H + 2)TP + 2TP + ES. */
function mixtureOfHeadsCost(model: ModelConfig): AttentionCost {
  const { context: T, width: D, heads: H, headWidth: P, experts: E } = model;
  const S = sources(model);
  // The printed numbers have a k = 2 in the weighting of outputs, although a token takes H heads.
  const k = 2;
  return {
    projections: {
      macs: (2 * H + 2) * T * P * D + H * k * T * P,
      floats: (2 * H + 2) * T * P,
    },
    attentionCore: { macs: 2 * H * T * S * P, floats: 2 * H * T * S },
    selection: { macs: E * D * T, floats: E * S },
    positions: model.positions === 'xl' ? { macs: 2 * S * P * D, floats: 2 * T * P } : nothing,
  };
}

const attentionCosts: Readonly<
  Record<ModelConfig['attention'], (model: ModelConfig) => AttentionCost>
> = { dense: denseCost, switchhead: switchHeadCost, moa: mixtureOfHeadsCost };

/**
 * One attention layer on one sequence, as the paper's tables print it (its equations 11-14 as corrected
 * in docs/models.md). Accepts any head width.
 */
export function attentionCost(model: ModelConfig): AttentionCost & { attention: Cost } {
  const parts = attentionCosts[model.attention](model);
  return { ...parts, attention: sumOf(attentionParts.map((part) => parts[part])) };
}

/** One feed-forward layer on one sequence, selection included; floats are its hidden channels and logits. */
function feedForwardCost(model: ModelConfig): Cost {
  const { context: T, width: D } = model;
  if (model.feedForward === 'dense')
    return { macs: 2 * T * D * model.feedForwardWidth, floats: T * model.feedForwardWidth };
  const { feedForwardExperts, feedForwardExpertWidth: G, feedForwardActiveExperts: k } = model;
  return {
    macs: T * D * feedForwardExperts + 2 * k * T * D * G,
    floats: T * feedForwardExperts + k * T * G,
  };
}

/** The output layer, on every token of a text or on the last one of a sequence to classify; floats are logits. */
function outputCost({ task, context, width }: ModelConfig, vocabulary: number): Cost {
  const logits = task === 'classification' ? classes : context * vocabulary;
  return { macs: width * logits, floats: logits };
}

/** Number of parameters by part, counted from the model itself. */
export function countParameters(model: ModelConfig, vocabulary: number): Resources['parameters'] {
  return countByPart(modelParameters(model, vocabulary));
}

function countByPart(parameters: readonly Parameter[]): Resources['parameters'] {
  const counts = Object.fromEntries(
    [...parameterParts, 'total'].map((part) => [part, 0]),
  ) as Resources['parameters'];
  for (const { part, shape } of parameters) {
    counts[part] += sizeOf(shape);
    counts.total += sizeOf(shape);
  }
  return counts;
}

/**
 * Parameters (exact) and analytic costs of a configuration on a vocabulary of that size.
 * @returns costs of one forward pass over one sequence of T tokens
 */
export function computeResources(model: ModelConfig, vocabulary: number): Resources {
  const attention = attentionCost(model);
  const feedForward = feedForwardCost(model);
  const layer = { ...attention, feedForward, total: sumOf([attention.attention, feedForward]) };
  // A row of the table per token: nothing to multiply.
  const embedding = { macs: 0, floats: model.context * model.width };
  const output = outputCost(model, vocabulary);
  const layers = Object.fromEntries(
    layerParts.map((part) => [part, times(layer[part], model.layers)]),
  ) as Record<LayerPart, Cost>;
  const parameters = modelParameters(model, vocabulary);
  return {
    parameters: countByPart(parameters),
    layerParameters: countByPart(parameters.filter(({ name }) => name.startsWith('layers.0.'))),
    layer,
    model: {
      ...{ ...layers, embedding, output },
      total: sumOf([times(layer.total, model.layers), embedding, output]),
    },
  };
}
