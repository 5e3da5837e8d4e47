import type { Command } from 'commander';
import { resolveConfig } from '../../../contract/resolveConfig.ts';
import type { BackendName, Precision } from '../../../contract/records.ts';
import type { Timing } from '../benchmark.ts';
import type { Ceiling } from '../ceiling.ts';
import { chooseBackend } from '../chooseBackend.ts';
import type { Executor, ProfileEntry } from '../../../graph/executor.ts';
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
  precision?: Precision;
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
    .option('--profile', 'say how long each op or kernel takes', false)
    .action(async (source: string, options: Options) => {
      const { out } = context();
      const { name, config } = readConfig(source, settings(options));
      const { model, training } = resolveConfig(config);
      const vocabulary = options.vocabulary ?? vocabularyOf(config);
      const { openExecutor } = await import('../../../backends/devices.ts');
      const { benchmark, warmupSteps } = await import('../benchmark.ts');
      const { measureCeiling } = await import('../ceiling.ts');
      const chosen = await chooseBackend(options.backend);
      const on = async <T>(work: (executor: Executor) => Promise<T>): Promise<T> => {
        const executor = await openExecutor(chosen, training.precision);
        try {
          return await work(executor);
        } finally {
          executor.dispose();
        }
      };
      const { timing, backend, device } = await on(async (executor) => {
        const { info } = executor;
        out.line(
          `${out.paint('bold', name)} (${architecture(model)}) on ${info.backend}: ${info.device}`,
        );
        const onStep = (step: number, of: number) => out.status(`step ${step}/${of}`);
        const { steps, profile } = options;
        const request = { model, training, vocabulary, steps, profile, onStep };
        return { timing: await benchmark(executor, request), ...info };
      });
      out.status('measuring what the device does at most');
      const ceiling = await on(measureCeiling);
      out.status('');
      const date = new Date().toISOString();
      const { precision, batch, accumulate } = training;
      const measured: Measured = {
        ...{ name, date, backend, device, precision, vocabulary, batch, accumulate },
        ...{ context: model.context, steps: options.steps, warmupSteps, ceiling, ...timing },
      };
      out.record({ type: 'bench', ...measured });
      out.line(...pairs(rows(measured), out.paint));
      if (timing.profile !== undefined)
        out.line(
          '',
          backend === 'webgpu' ? 'One step, kernel by kernel' : 'One step, op by op',
          ...profileTable(timing.profile, out.paint),
        );
    });
}

/** The short form comes last: it is the more deliberate one. */
function settings({ set, precision }: Options): string[] {
  return [...set, ...(precision === undefined ? [] : [`training.precision=${precision}`])];
}

interface Measured extends Timing {
  name: string;
  date: string;
  backend: BackendName;
  device: string;
  precision: Precision;
  vocabulary: number;
  batch: number;
  accumulate: number;
  context: number;
  steps: number;
  warmupSteps: number;
  ceiling: Ceiling;
}

function rows(measured: Measured): [string, string][] {
  const { batch, accumulate, steps, warmupSteps, ceiling, flopsPerSecond } = measured;
  const accumulated = accumulate > 1 ? ` × ${accumulate}` : '';
  const share = ((100 * flopsPerSecond) / ceiling.flops).toFixed(0);
  return [
    [
      'shape',
      `${format.count(measured.parameters)} parameters, batch ${batch}${accumulated}, ` +
        `${format.whole(measured.context)} tokens, vocabulary ${format.whole(measured.vocabulary)}, ${measured.precision}`,
    ],
    [
      'time per step',
      `${format.milliseconds(measured.medianMilliseconds)} (median of ${format.plural(steps, 'step')} after ${warmupSteps} to warm up; ` +
        `from ${format.milliseconds(measured.minMilliseconds)} to ${format.milliseconds(measured.maxMilliseconds)})`,
    ],
    ['throughput', `${format.count(measured.tokensPerSecond)} tokens/s`],
    [
      'arithmetic',
      `${format.flops(flopsPerSecond)}, ${share} % of the ${format.flops(ceiling.flops)} that products of ${ceiling.size} × ${ceiling.size} matrices reach here`,
    ],
    [
      'peak memory',
      `tensors (executor) ${format.bytes(measured.peakTensorBytes)} (planned ${format.bytes(measured.plannedBytes)}), process (RSS) ${format.bytes(measured.peakRssBytes)}`,
    ],
    ['date', format.instant(measured.date)],
  ];
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
