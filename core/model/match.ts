/**
 * Models that cost what a dense baseline costs, found as the SwitchHead paper found its own (section 3
 * and appendix): equal parameters, or equal multiply-accumulates of attention.
 */
import { fields, type ModelConfig, type RunConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { IntegerField } from '../contract/fields.ts';
import * as format from '../contract/format.ts';
import type { Match, MatchFamily } from '../contract/records.ts';
import { combinationProblems, resolveConfig } from '../contract/resolveConfig.ts';
import { attentionCost, computeResources, countParameters } from './resources.ts';

export interface MatchRequest {
  /** Dense attention and dense feed-forward. Its data and training are kept. */
  readonly baseline: RunConfig;
  readonly vocabulary: number;
  readonly family: MatchFamily;
  readonly by: 'parameters' | 'macs';
  /** Where the search starts; what is left out is as in the paper. */
  readonly heads?: number;
  readonly experts?: number;
  readonly activeExperts?: number;
}

/** A model on its way, and what is to be said about it. */
interface Found {
  readonly config: RunConfig;
  readonly notes: readonly string[];
}

/** The paper's σ-MoE experts. */
const feedForwardExpertWidth = 128;
const feedForwardActiveExperts = 4;

/**
 * A SwitchHead, SwitchAll or MoA that has the parameters, or the attention MACs, of a baseline.
 * @throws SwitchyardError `invalid-argument` when the baseline is not dense, or MoA is given active
 *   experts; `invalid-config` when heads, experts and active experts cannot be had together
 */
export function matchModel(request: MatchRequest): Match {
  requireDense(request.baseline.model);
  const { baseline, vocabulary, by } = request;
  const sameParameters = matchParameters(request, startingPoint(request));
  const found = by === 'macs' ? matchMacs(request, sameParameters) : sameParameters;
  const config = resolveConfig(found.config);
  const ours = computeResources(config.model, vocabulary);
  const theirs = computeResources(baseline.model, vocabulary);
  const unmatched = {
    parameters: ours.parameters.total - theirs.parameters.total,
    macs: ours.layer.attention.macs - theirs.layer.attention.macs,
  };
  const left = [
    unmatchedSentence('parameters', unmatched.parameters, theirs.parameters.total),
    unmatchedSentence('attention MACs a layer', unmatched.macs, theirs.layer.attention.macs),
  ];
  const notes = [...found.notes, ...left, ...advice(request, config.model)];
  return { config, resources: ours, baseline: theirs, unmatched, notes };
}

function requireDense({ attention, feedForward }: ModelConfig): void {
  const wrong =
    attention !== 'dense'
      ? `model.attention "${attention}"`
      : feedForward !== 'dense'
        ? `model.feedForward "${feedForward}"`
        : undefined;
  if (wrong !== undefined)
    throw new SwitchyardError(
      'invalid-argument',
      `The baseline has ${wrong}, but models are matched with a dense one: give a configuration with model.attention "dense" and model.feedForward "dense".`,
    );
}

/** The family with as many experts in all as the baseline has heads; its widths are still the baseline's. */
function startingPoint(request: MatchRequest): Found {
  const { baseline, family, activeExperts } = request;
  const available = baseline.model.heads;
  const heads = request.heads ?? Math.min(2, available);
  if (family === 'moa') {
    if (activeExperts !== undefined)
      throw new SwitchyardError(
        'invalid-argument',
        `activeExperts is ${activeExperts}, but MoA has none: heads says how many of its experts are active.`,
      );
    const experts = request.experts ?? available;
    return checked(baseline, { attention: 'moa', heads, experts }, [
      `${heads} of ${experts} heads for every token, on shared keys and values.`,
    ]);
  }
  const experts = request.experts ?? Math.max(1, Math.round(available / heads));
  const k = activeExperts ?? Math.min(2, experts);
  const notes = [`H = ${heads}, E = ${experts}, k = ${k}.`];
  if (heads * experts !== available)
    notes.push(
      `${format.plural(heads * experts, 'expert')} in all stand for the baseline’s ${format.plural(available, 'head')}: H·E is not the same.`,
    );
  const attention = { attention: 'switchhead', heads, experts, activeExperts: k } as const;
  if (family === 'switchhead') return checked(baseline, attention, notes);
  const mixed = mixedFeedForward(baseline.model.feedForwardWidth);
  return checked(baseline, { ...attention, ...mixed }, notes);
}

/** As many experts of 128 channels as come closest to a dense feed-forward of that width. */
function mixedFeedForward(width: number) {
  const experts = Math.max(1, Math.round(width / feedForwardExpertWidth));
  return {
    feedForward: 'sigma-moe',
    feedForwardExperts: experts,
    feedForwardExpertWidth,
    feedForwardActiveExperts: Math.min(feedForwardActiveExperts, experts),
  } as const;
}

/** The baseline with some of its model changed, if that can be had together. */
function checked(
  baseline: RunConfig,
  change: Partial<ModelConfig>,
  notes: readonly string[],
): Found {
  return { config: resolveConfig(withModel(baseline, change)), notes };
}

function withModel(config: RunConfig, change: Partial<ModelConfig>): RunConfig {
  return { ...config, model: { ...config.model, ...change } };
}

/** P so that parameters come closest to the baseline's; then the feed-forward absorbs the rest. */
function matchParameters({ baseline, vocabulary }: MatchRequest, start: Found): Found {
  const total = ({ model }: RunConfig): number => countParameters(model, vocabulary).total;
  const target = total(baseline);
  const attention = closest(start.config, 'headWidth', total, target);
  const isDense = start.config.model.feedForward === 'dense';
  const absorbing = isDense ? 'feedForwardWidth' : 'feedForwardExpertWidth';
  const config = closest(attention, absorbing, total, target);
  const { headWidth, feedForwardExperts, [absorbing]: width } = config.model;
  const feedForward = isDense
    ? `a d_ff of ${width}`
    : `a feed-forward of ${feedForwardExperts} experts of ${width}`;
  return {
    config,
    notes: [
      ...start.notes,
      `P = ${headWidth} brings the parameters closest to the baseline’s; ${feedForward} absorbs the rest.`,
    ],
  };
}

/**
 * Raises heads and head width together until attention costs the baseline's MACs: of every H with its
 * best P, the one that grows both by about the same factor.
 */
function matchMacs({ baseline }: MatchRequest, start: Found): Found {
  const macs = ({ model }: RunConfig): number => attentionCost(model).attention.macs;
  const target = macs(baseline);
  const { attention, heads, experts, headWidth } = start.config.model;
  const most = attention === 'moa' ? experts : fields.model.heads.max;
  const imbalance = ({ model }: RunConfig): number =>
    Math.abs(model.headWidth / headWidth - model.heads / heads);
  const config = Array.from({ length: most - heads + 1 }, (_, more) =>
    closest(withModel(start.config, { heads: heads + more }), 'headWidth', macs, target),
  ).reduce((best, each) => (imbalance(each) < imbalance(best) ? each : best));
  return {
    config,
    notes: [
      ...start.notes,
      `From there H ${heads} → ${config.model.heads} and P ${headWidth} → ${config.model.headWidth} bring the attention MACs closest to the baseline’s; everything else is kept.`,
    ],
  };
}

/**
 * The configuration with the value of a whole-number field at which a quantity comes closest to a
 * target. The quantity must grow linearly with the field, as parameters and MACs do with widths.
 * Values out of the field's bounds, or that its other fields do not allow, are passed over.
 */
function closest(
  config: RunConfig,
  key: 'headWidth' | 'feedForwardWidth' | 'feedForwardExpertWidth',
  quantity: (config: RunConfig) => number,
  target: number,
): RunConfig {
  const { min, max } = fields.model[key] satisfies IntegerField;
  const at = (value: number): RunConfig => withModel(config, { [key]: value });
  const base = quantity(at(min));
  const slope = quantity(at(min + 1)) - base;
  const ideal = Math.min(max, Math.max(min, Math.round(min + (target - base) / slope)));
  const distance = (value: number): number => Math.abs(base + slope * (value - min) - target);
  // Rotary positions allow two of four neighbouring head widths.
  const [best] = Array.from({ length: 9 }, (_, i) => ideal - 4 + i)
    .filter((value) => value >= min && value <= max)
    .filter((value) => combinationProblems(at(value)).length === 0)
    .sort((a, b) => distance(a) - distance(b));
  return at(best);
}

function unmatchedSentence(what: string, difference: number, of: number): string {
  if (difference === 0) return `Exactly the baseline’s ${what}.`;
  const share = format.percent(Math.abs(difference) / of);
  const direction = difference > 0 ? 'more' : 'fewer';
  return `${format.count(Math.abs(difference))} (${share}) ${direction} ${what} than the baseline.`;
}

/** What the paper tries next, and what no procedure chooses. */
function advice({ family, by }: MatchRequest, model: ModelConfig): string[] {
  if (family === 'moa')
    return ['The weights of MoA’s regularisers are not part of a match; they are the baseline’s.'];
  const { heads, experts, activeExperts } = model;
  const more = [3, 4].filter((k) => k > activeExperts && k <= experts);
  const steps = [
    ...(more.length > 0 ? [`k = ${more.join(', ')}`] : []),
    ...(heads < 4 ? ['H = 4, k = 2'] : []),
  ];
  const notes: string[] = [];
  if (by === 'parameters' && steps.length > 0)
    notes.push(`If it trains worse than the baseline: ${steps.join('; then ')}.`);
  return family === 'switchall' ? [...notes, ...mixedFeedForwardAdvice(model)] : notes;
}

function mixedFeedForwardAdvice(model: ModelConfig): string[] {
  const { feedForwardExperts, feedForwardActiveExperts: active } = model;
  return [
    ...(active === feedForwardExperts
      ? [
          `All ${active} feed-forward experts are active, so nothing is saved there: more and narrower ones would.`,
        ]
      : []),
    'The paper’s small SwitchAll also has model.entropyLoss 0.0001.',
  ];
}
