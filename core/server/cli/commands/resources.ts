import type { Command } from 'commander';
import { resolveConfig } from '../../../contract/resolveConfig.ts';
import type { Resources } from '../../../contract/records.ts';
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
    .description('parameters and analytic cost of a configuration')
    .argument('<config>', 'a preset, or a configuration file ending in .json')
    .addOption(setOption())
    .addOption(vocabularyOption())
    .action(async (source: string, options: Options) => {
      const { out } = context();
      const { name, config } = readConfig(source, options.set);
      const { model, data } = resolveConfig(config);
      const vocabulary = options.vocabulary ?? vocabularyOf(data.tokenizer);
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
        `Cost of one forward pass over one sequence of ${format.whole(model.context)} tokens`,
        ...costTable(costs, model.layers, out.paint),
        out.paint('dim', 'Attention as the tables of the SwitchHead paper count it.'),
      );
    });
}

function parameterTable({ parameters }: Resources, paint: Paint): string[] {
  const row = (title: string, value: number): string[] => [
    title,
    format.whole(value),
    `${((100 * value) / parameters.total).toFixed(1)} %`,
  ];
  return table(
    [
      { title: 'Part' },
      { title: 'Parameters', align: 'right' },
      { title: 'Share', align: 'right' },
    ],
    [
      row('embedding', parameters.embedding),
      row('attention', parameters.attention),
      row('feed-forward', parameters.feedForward),
      row('normalisation', parameters.normalisation),
      row('output', parameters.output),
      row('total', parameters.total),
    ],
    paint,
  );
}

function costTable(costs: Resources, layers: number, paint: Paint): string[] {
  const { attentionLayer, feedForwardLayer, model } = costs;
  return table(
    [
      { title: 'Part' },
      { title: 'MACs', align: 'right' },
      { title: 'Memory (floats)', align: 'right' },
    ],
    [
      [
        'attention, one layer',
        format.count(attentionLayer.macs),
        format.whole(attentionLayer.floats),
      ],
      ['feed-forward, one layer', format.count(feedForwardLayer.macs), ''],
      [`whole model, ${format.plural(layers, 'layer')} and output`, format.count(model.macs), ''],
    ],
    paint,
  );
}
