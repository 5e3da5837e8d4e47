import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { architecture } from '../../../contract/architecture.ts';
import type { RunConfig } from '../../../contract/config.ts';
import * as format from '../../../contract/format.ts';
import { matchFamilies, type Match, type MatchFamily } from '../../../contract/records.ts';
import { resolveConfig } from '../../../contract/resolveConfig.ts';
import { writeJsonAtomically } from '../../../data/atomicFile.ts';
import { readConfig, vocabularyOf } from '../configSource.ts';
import { hint, quoted, type Context } from '../context.ts';
import { notEmpty, setOption, vocabularyOption, wholeNumber } from '../options.ts';
import type { Paint } from '../output.ts';
import { withCore } from '../session.ts';
import { table } from '../table.ts';

interface Options {
  set: string[];
  vocabulary?: number;
  family: MatchFamily;
  by: 'parameters' | 'macs';
  heads?: number;
  experts?: number;
  activeExperts?: number;
  out?: string;
}

/** `match`: a SwitchHead, SwitchAll or MoA that costs what a dense baseline costs. */
export function match(program: Command, context: () => Context): void {
  program
    .command('match')
    .description('find a SwitchHead, SwitchAll or MoA that costs what a dense baseline costs')
    .argument('<baseline>', 'a preset, or a configuration file ending in .json')
    .addOption(
      new Option('--family <F>', 'what to find').choices([...matchFamilies]).makeOptionMandatory(),
    )
    .addOption(
      new Option('--by <B>', 'what to make equal: all parameters, or attention MACs of a layer')
        .choices(['parameters', 'macs'])
        .default('parameters'),
    )
    .option('--heads <N>', 'heads to start from (default: 2)', wholeNumber(1))
    .option('--experts <N>', 'attention experts (default: those of the paper)', wholeNumber(1))
    .option('--active-experts <N>', 'active attention experts (default: 2)', wholeNumber(1))
    .addOption(setOption())
    .addOption(vocabularyOption())
    .option('--out <FILE>', 'write the configuration to this .json file', notEmpty)
    .action((source: string, options: Options) => run(context(), source, options));
}

async function run(context: Context, source: string, options: Options): Promise<void> {
  const { out } = context;
  const { set, vocabulary: given, out: file, ...wanted } = options;
  const { name, config: baseline } = readConfig(source, set);
  const { model } = resolveConfig(baseline);
  const vocabulary = given ?? vocabularyOf(baseline);
  const found = await withCore(context, ({ client }) =>
    client.call('models.match', { baseline, vocabulary, ...wanted }),
  );
  out.record({ type: 'match', name, vocabulary, ...found });
  out.line(
    ...comparison(
      [`${name}: ${architecture(model)}`, architecture(found.config.model)],
      found,
      out.paint,
    ),
    '',
    ...found.notes,
    '',
    `As settings: --set ${settings(resolveConfig(baseline), found.config).join(' ')}`,
  );
  if (file === undefined) return;
  const path = resolve(file);
  writeJsonAtomically(path, found.config);
  out.line(`Written to ${path}. Train it: ${hint(context, `train ${quoted(file)} --data FILE`)}`);
}

function comparison(titles: readonly [string, string], match: Match, paint: Paint): string[] {
  const columns = [match.baseline, match.resources];
  return table(
    [{ title: '' }, ...titles.map((title) => ({ title, align: 'right' as const }))],
    [
      ['parameters', ...columns.map(({ parameters }) => format.count(parameters.total))],
      ['attention MACs, layer', ...columns.map(({ layer }) => format.count(layer.attention.macs))],
      [
        'attention floats, layer',
        ...columns.map(({ layer }) => format.count(layer.attention.floats)),
      ],
      ['MACs, model', ...columns.map((cost) => format.count(cost.model.total.macs))],
    ],
    paint,
  );
}

/** What turns the baseline into the match, as `--set` takes it. */
function settings(baseline: RunConfig, match: RunConfig): string[] {
  const keys = Object.keys(match.model) as (keyof RunConfig['model'])[];
  return keys
    .filter((key) => match.model[key] !== baseline.model[key])
    .map((key) => `${key}=${match.model[key]}`);
}
