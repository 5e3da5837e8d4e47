import type { Command } from 'commander';
import { resolveConfig } from '../../../contract/resolveConfig.ts';
import type { Cost, Resources } from '../../../contract/records.ts';
import { architecture } from '../../../contract/architecture.ts';
import { readConfig, vocabularyOf } from '../configSource.ts';
import type { Context } from '../context.ts';
import * as format from '../../../contract/format.ts';
import { setOption, vocabularyOption } from '../options.ts';
import type { Paint } from '../output.ts';
import { withCore } from '../session.ts';
import { table } from '../table.ts';

interface Options {
  set: string[];
  vocabulary?: number;
}

/** `resources`: what a configuration costs, before it runs. */
export function resources(program: Command, context: () => Context): void {
  program
    .command('resources')
    .description('parameters and analytic cost of a configuration, by part')
    .argument('<config>', 'a preset, or a configuration file ending in .json')
    .addOption(setOption())
    .addOption(vocabularyOption())
    .action(async (source: string, options: Options) => {
      const { out } = context();
      const { name, config } = readConfig(source, options.set);
      const { model } = resolveConfig(config);
      const vocabulary = options.vocabulary ?? vocabularyOf(config);
      const costs = await withCore(context(), ({ client }) =>
        client.call('resources.compute', { config, vocabulary }),
      );
      out.record({ type: 'resources', name, vocabulary, ...costs });
      out.line(
        `${out.paint('bold', name)}: ${architecture(model)}, ${format.plural(model.layers, 'layer')} of ` +
          `${format.whole(model.width)} channels, vocabulary ${format.whole(vocabulary)}`,
        '',
        ...parameterTable(costs, out.paint),
        '',
        `One forward pass over one sequence of ${format.whole(model.context)} tokens: multiply-accumulates, and floats kept`,
        ...costTable(costs, model.layers, out.paint),
        out.paint(
          'dim',
          'Attention is the sum of the four parts above it, as the tables of the SwitchHead paper count it.',
        ),
      );
    });
}

/** What people call the parts, in the order of the tables. */
const titles = {
  projections: 'projections',
  attentionCore: 'attention core',
  selection: 'selection',
  positions: 'positions',
  attention: 'attention',
  feedForward: 'feed-forward',
  normalisation: 'normalisation',
  embedding: 'embedding',
  output: 'output',
  total: 'total',
} as const;
type Part = keyof typeof titles;
const parts = Object.keys(titles) as Part[];

function parameterTable(costs: Resources, paint: Paint): string[] {
  const { parameters, layerParameters } = costs;
  const counts: Partial<Record<Part, number>> = parameters;
  const perLayer: Partial<Record<Part, number>> = layerParameters;
  return table(
    [
      { title: 'Part' },
      { title: 'Parameters, layer', align: 'right' },
      { title: 'Parameters, model', align: 'right' },
      { title: 'Share', align: 'right' },
    ],
    parts.flatMap((part) => {
      const { [part]: value } = counts;
      return value === undefined
        ? []
        : [
            [
              titles[part],
              format.whole(perLayer[part] ?? 0),
              format.whole(value),
              format.percent(value / parameters.total),
            ],
          ];
    }),
    paint,
  );
}

/** One layer beside the whole model. */
function costTable({ layer, model }: Resources, layers: number, paint: Paint): string[] {
  const perLayer: Partial<Record<Part, Cost>> = layer;
  const { macs, floats } = layer.attention;
  const attention = { macs: macs * layers, floats: floats * layers };
  const perModel: Partial<Record<Part, Cost>> = { ...model, attention };
  const cells = (cost: Cost | undefined): string[] =>
    cost === undefined ? ['', ''] : [format.count(cost.macs), format.count(cost.floats)];
  return table(
    [
      { title: 'Part' },
      { title: 'MACs, layer', align: 'right' },
      { title: 'Floats, layer', align: 'right' },
      { title: 'MACs, model', align: 'right' },
      { title: 'Floats, model', align: 'right' },
    ],
    parts
      .filter((part) => perLayer[part] !== undefined || perModel[part] !== undefined)
      .map((part) => [titles[part], ...cells(perLayer[part]), ...cells(perModel[part])]),
    paint,
  );
}
