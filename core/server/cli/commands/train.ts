import type { Command } from 'commander';
import { fields } from '../../../contract/config.ts';
import type { Field } from '../../../contract/fields.ts';
import { defaultBackend, precisionProblem } from '../../../contract/devices.ts';
import { SwitchyardError } from '../../../contract/errors.ts';
import type { Client } from '../../../contract/protocol.ts';
import type { BackendName, Precision } from '../../../contract/records.ts';
import { resolveConfig } from '../../../contract/resolveConfig.ts';
import { readConfig } from '../configSource.ts';
import type { Context } from '../context.ts';
import { followRun } from '../followRun.ts';
import { describe } from '../importing.ts';
import { backendOption, notEmpty, precisionOption, setOption, wholeNumber } from '../options.ts';
import * as format from '../../../contract/format.ts';
import { withCore } from '../session.ts';
import { pairs } from '../table.ts';
import { findData } from '../trainingData.ts';

interface Options {
  data: string;
  set: string[];
  backend?: BackendName;
  precision?: Precision;
  steps?: number;
  seed?: number;
  name?: string;
}

/** `train`: a new run, followed to its end. */
export function train(program: Command, context: () => Context): void {
  program
    .command('train')
    .description('train a configuration on a text')
    .argument('<config>', 'a preset, or a configuration file ending in .json')
    .requiredOption(
      '--data <file|dataset>',
      'a text file, or the name or id of a dataset',
      notEmpty,
    )
    .addOption(setOption())
    .addOption(backendOption())
    .addOption(precisionOption())
    .option('--steps <N>', 'optimiser steps, short for --set steps=N', wholeNumber(1))
    .option('--seed <N>', 'seed, short for --set seed=N', wholeNumber(0))
    .option('--name <N>', 'name of the run (default: one from its configuration)', notEmpty)
    .addHelpText('after', settingsHelp)
    .action(async (source: string, options: Options) => {
      const { out } = context();
      const { config } = readConfig(source, settings(options));
      process.exitCode = await withCore(context(), async ({ client }) => {
        const { precision } = resolveConfig(config).training;
        await requirePrecision(client, options.backend, precision);
        const dataset = await findData(client, context(), options.data, config);
        out.record({ type: 'dataset', ...dataset });
        out.line(`Data: ${describe(dataset)}`);
        return followRun(client, context(), () =>
          client.call('runs.create', {
            config,
            dataset: dataset.id,
            ...(options.name === undefined ? {} : { name: options.name }),
            ...(options.backend === undefined ? {} : { backend: options.backend }),
          }),
        );
      });
    });
}

/** What the core would refuse too, but only after the text was imported. */
async function requirePrecision(
  client: Client,
  backend: BackendName | undefined,
  precision: Precision,
): Promise<void> {
  if (precision === 'f32') return;
  const devices = await client.call('devices.list', {});
  const chosen = backend ?? defaultBackend(devices) ?? 'reference';
  const report = devices.find((device) => device.backend === chosen);
  const problem = precisionProblem(chosen, precision, report);
  if (problem !== null) throw new SwitchyardError('device-unavailable', problem);
}

/** The short forms come last: they are the more deliberate ones. */
function settings({ set, precision, steps, seed }: Options): string[] {
  return [
    ...set,
    ...(precision === undefined ? [] : [`training.precision=${precision}`]),
    ...(steps === undefined ? [] : [`training.steps=${steps}`]),
    ...(seed === undefined ? [] : [`training.seed=${seed}`]),
  ];
}

/** Every field that `--set` takes, from its one declaration. */
function settingsHelp(): string {
  const lines = Object.entries(fields).flatMap(([group, declared]) => [
    '',
    `Settings of ${group} (--set ${group}.NAME=VALUE; NAME alone is enough):`,
    ...pairs(
      Object.entries<Field>(declared).map(([key, field]) => [
        `  ${key}=${field.default}`,
        `${labelOf(field)}: ${valuesOf(field)}`,
      ]),
      (_style, text) => text,
    ),
  ]);
  return lines.join('\n');
}

/** The label, with the unit unless it says that already. */
function labelOf({ label, unit }: Field): string {
  const said = unit === undefined || label.toLowerCase().includes(unit);
  return said ? label : `${label}, ${unit}`;
}

const alternatives = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** What the field takes. */
function valuesOf(field: Field): string {
  switch (field.type) {
    case 'choice':
      return alternatives.format(field.choices);
    case 'text':
      return field.patternHelp;
    case 'integer':
      return `${format.whole(field.min)} to ${format.whole(field.max)}`;
    case 'number': {
      const above = field.exclusiveMin === true ? 'above ' : '';
      return `${above}${field.min} to ${field.max}`;
    }
  }
}
