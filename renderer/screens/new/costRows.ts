/** The costs of a configuration by part, as rows of a table: whole model, or one of its layers. */
import { layerParts, type Cost, type Resources } from '../../../core/contract/records.ts';

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
  const { projections, selection, positions } = parameters;
  return [
    { label: 'Embedding', kind: 'whole', ...of('embedding') },
    {
      label: 'Attention',
      kind: 'whole',
      parameters: projections + selection + positions,
      ...sum(attention),
    },
    ...attentionParts.map((part): CostRow => ({
      ...{ ...words[part], kind: 'part', ...model[part] },
      parameters: part === 'attentionCore' ? null : parameters[part],
    })),
    { label: 'Feed-forward', kind: 'whole', ...of('feedForward') },
    {
      ...{ label: 'Normalisation', kind: 'whole', macs: null, floats: null },
      parameters: parameters.normalisation,
    },
    { label: 'Output', kind: 'whole', ...of('output') },
    { label: 'Total', kind: 'total', ...of('total') },
  ];
}

/** One layer by part; one sequence. Its attention is what the paper's tables print. */
export function layerRows({ layer }: Resources): CostRow[] {
  const row = (label: string, kind: CostRow['kind'], cost: Cost, help?: string): CostRow => ({
    ...{ label, kind, parameters: null, ...cost },
    ...(help === undefined ? {} : { help }),
  });
  return [
    row('Attention', 'whole', layer.attention, 'As the paper’s tables print it.'),
    ...attentionParts.map((part) => row(words[part].label, 'part', layer[part], words[part].help)),
    row('Feed-forward', 'whole', layer.feedForward),
    row('Total', 'total', layer.total),
  ];
}

function sum(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (all, { macs, floats }) => ({ macs: all.macs + macs, floats: all.floats + floats }),
    { macs: 0, floats: 0 },
  );
}
