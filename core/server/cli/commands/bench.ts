import type { Command } from 'commander';
import { resolveConfig } from '../../../contract/resolveConfig.ts';
import type { BackendName } from '../../../contract/records.ts';
import type { ProfileEntry } from '../../../graph/executor.ts';
import { architecture } from '../../../contract/architecture.ts';
import { readConfig, vocabularyOf } from '../configSource.ts';
import type { Context } from '../context.ts';
import * as format from '../../../contract/format.ts';
import {
  backendOption,
  precisionOption,
  setOption,
  vocabularyOption,
  wholeNumber,
} from '../options.ts';
import type { Paint } from '../output.ts';
import { pairs, table } from '../table.ts';

interface Options {
  set: string[];
  backend?: BackendName;
  precision: string;
  steps: number;
  vocabulary?: number;
  profile: boolean;
}

/** `bench`: how fast a configuration trains here. */
export function bench(program: Command, context: () => Context): void {
  program
    .command('bench')
    .description('time training steps on random tokens')
    .argument('<config>', 'a preset, or a configuration file ending in .json')
    .addOption(setOption())
    .addOption(backendOption())
    .addOption(precisionOption())
    .option('--steps <N>', 'steps to time, after a few to warm up', wholeNumber(1), 20)
    .addOption(vocabularyOption())
    .option('--profile', 'say how long each op takes', false)
    .action(async (source: string, options: Options) => {
      const { out } = context();
      const { name, config } = readConfig(source, options.set);
      const { model, training } = resolveConfig(config);
      const vocabulary = options.vocabulary ?? vocabularyOf(config);
      const { fastestBackend, openExecutor } = await import('../../../backends/devices.ts');
      const { benchmark, warmupSteps } = await import('../benchmark.ts');
      const executor = await openExecutor(options.backend ?? (await fastestBackend()));
      try {
        const { backend, device } = executor.info;
        out.line(`${out.paint('bold', name)} (${architecture(model)}) on ${backend}: ${device}`);
        const timing = await benchmark(executor, {
          model,
          training,
          vocabulary,
          steps: options.steps,
          profile: options.profile,
          onStep: (step, of) => out.status(`step ${step}/${of}`),
        });
        out.status('');
        const date = new Date().toISOString();
        out.record({
          type: 'bench',
          name,
          date,
          backend,
          device,
          precision: options.precision,
          vocabulary,
          batch: training.batch,
          accumulate: training.accumulate,
          context: model.context,
          steps: options.steps,
          warmupSteps,
          ...timing,
        });
        const accumulated = training.accumulate > 1 ? ` × ${training.accumulate}` : '';
        out.line(
          ...pairs(
            [
              [
                'shape',
                `${format.count(timing.parameters)} parameters, batch ${training.batch}${accumulated}, ` +
                  `${format.whole(model.context)} tokens, vocabulary ${format.whole(vocabulary)}, ${options.precision}`,
              ],
              [
                'time per step',
                `${format.milliseconds(timing.medianMilliseconds)} (median of ${format.plural(options.steps, 'step')} after ${warmupSteps} to warm up; ` +
                  `from ${format.milliseconds(timing.minMilliseconds)} to ${format.milliseconds(timing.maxMilliseconds)})`,
              ],
              ['throughput', `${format.count(timing.tokensPerSecond)} tokens/s`],
              [
                'peak memory',
                `tensors (executor) ${format.bytes(timing.peakTensorBytes)}, process (RSS) ${format.bytes(timing.peakRssBytes)}`,
              ],
              ['date', format.instant(date)],
            ],
            out.paint,
          ),
        );
        if (timing.profile !== undefined)
          out.line('', 'One step, op by op', ...profileTable(timing.profile, out.paint));
      } finally {
        executor.dispose();
      }
    });
}

function profileTable(profile: readonly ProfileEntry[], paint: Paint): string[] {
  const total = profile.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const row = (op: string, milliseconds: number, calls: number): string[] => [
    op,
    milliseconds.toFixed(2),
    `${((100 * milliseconds) / total).toFixed(1)} %`,
    format.whole(calls),
  ];
  return table(
    [
      { title: 'Op' },
      { title: 'Time (ms)', align: 'right' },
      { title: 'Share', align: 'right' },
      { title: 'Calls', align: 'right' },
    ],
    [
      ...profile.map(({ op, milliseconds, calls }) => row(op, milliseconds, calls)),
      row(
        'total',
        total,
        profile.reduce((sum, { calls }) => sum + calls, 0),
      ),
    ],
    paint,
  );
}
