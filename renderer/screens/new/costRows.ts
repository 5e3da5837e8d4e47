/** The costs of a configuration by part, as rows of a table: whole model, or one of its layers. */
import {
  layerParts,
  type Cost,
  type LayerPart,
  type Resources,
} from '../../../core/contract/records.ts';

export interface CostRow {
  label: string;
  /** What it is, where the label does not say it. */
  help?: string;
  /** A share of the row above that is no part, or the sum of all. */
  kind: 'whole' | 'part' | 'total';
  /** Null where they are not counted, or where there are none by nature. */
  parameters: number | null;
  macs: number | null;
  floats: number | null;
}

const words = {
  projections: { label: 'projections', help: 'Queries, keys, values and output.' },
  attentionCore: {
    label: 'core',
    help: 'Queries times keys, and the values weighted by their softmax.',
  },
  selection: { label: 'selection', help: 'Which experts or heads a token uses.' },
  positions: { label: 'positions', help: 'Relative positions. Rotary ones are not counted.' },
} as const;

/** The parts of a layer that are attention. */
const attentionParts = layerParts.filter((part) => part !== 'feedForward');

/** Embedding, all layers by part, output, and the sum; one sequence. */
export function modelRows({ model, parameters }: Resources): CostRow[] {
  const of = (part: keyof typeof parameters & keyof typeof model) => ({
    ...{ parameters: parameters[part], ...model[part] },
  });
  const attention = attentionParts.map((part) => model[part]);
  return [
    { label: 'Embedding', kind: 'whole', ...of('embedding') },
    {
      label: 'Attention',
      kind: 'whole',
      parameters: ofAttention(parameters),
      ...sum(attention),
    },
    ...partsOfAttention(model, parameters),
    { label: 'Feed-forward', kind: 'whole', ...of('feedForward') },
    normalisation(parameters),
    { label: 'Output', kind: 'whole', ...of('output') },
    { label: 'Total', kind: 'total', ...of('total') },
  ];
}

/** One layer by part; one sequence. Its attention is what the paper's tables print. */
export function layerRows({ layer, layerParameters: parameters }: Resources): CostRow[] {
  return [
    {
      ...{ label: 'Attention', kind: 'whole', help: 'As the paper’s tables print it.' },
      ...{ parameters: ofAttention(parameters), ...layer.attention },
    },
    ...partsOfAttention(layer, parameters),
    {
      ...{ label: 'Feed-forward', kind: 'whole' },
      ...{ parameters: parameters.feedForward, ...layer.feedForward },
    },
    normalisation(parameters),
    { label: 'Total', kind: 'total', parameters: parameters.total, ...layer.total },
  ];
}

const partsOfAttention = (
  costs: Readonly<Record<LayerPart, Cost>>,
  parameters: Resources['parameters'],
): CostRow[] =>
  attentionParts.map((part) => ({
    ...{ ...words[part], kind: 'part', ...costs[part] },
    parameters: part === 'attentionCore' ? null : parameters[part],
  }));

const ofAttention = ({ projections, selection, positions }: Resources['parameters']): number =>
  projections + selection + positions;

const normalisation = (parameters: Resources['parameters']): CostRow => ({
  ...{ label: 'Normalisation', kind: 'whole', macs: null, floats: null },
  parameters: parameters.normalisation,
});

function sum(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (all, { macs, floats }) => ({ macs: all.macs + macs, floats: all.floats + floats }),
    { macs: 0, floats: 0 },
  );
}
