/**
 * Times whole training steps (forward, backward, clipping, AdamW) of the models for which there are
 * timings of the authors' own code, on random tokens without dropout, and prints a table against them.
 *
 *   node benchmarks/webgpu/steps.ts [--only text] [--seconds 2] [--together 4] [--profiles folder]
 *
 * Compiling takes longer than timing, so some models are made ready at once, each in a process of its
 * own; they take their turns to run. --profiles writes a table of kernels for each model.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebgpuExecutor } from '../../core/backends/webgpu/executor.ts';
import type { PartialConfig } from '../../core/contract/config.ts';
import { presets } from '../../core/contract/presets.ts';
import { median } from '../../core/contract/progress.ts';
import type { Precision } from '../../core/contract/records.ts';
import { resolveConfig } from '../../core/contract/resolveConfig.ts';
import type { Feed } from '../../core/graph/executor.ts';
import { modelParameters } from '../../core/model/plans.ts';
import { initialise } from '../../core/train/state.ts';
import { createStepper } from '../../core/train/stepper.ts';

interface Row {
  readonly preset: string;
  readonly precision: Precision;
  readonly batch: number;
  readonly context: number;
  readonly change?: NonNullable<PartialConfig['model']>;
  /** Milliseconds a step and GiB of the authors' code on one H100, where they were measured. */
  readonly authors?: readonly [milliseconds: number, gibibytes: number];
  /** Milliseconds that are aimed at. */
  readonly goal?: number;
}

const vocabulary = 8000;
const xl = { batch: 64, context: 256 } as const;
const rope = { batch: 64, context: 512 } as const;
const large = { batch: 32, context: 512 } as const;
// The authors' run of MoA has narrower heads than the paper's tables.
const narrow = { headWidth: 41 } as const;

const rows: readonly Row[] = [
  { preset: 'switchhead-47m-xl-wikitext103', precision: 'f16', ...xl, authors: [186.8, 9.8], goal: 62 },
  { preset: 'switchall-47m-xl-wikitext103', precision: 'f16', ...xl, authors: [229.3, 10.6], goal: 76 },
  { preset: 'moa-47m-h4-xl-wikitext103', precision: 'f16', ...xl, change: narrow, authors: [246.7, 10.7], goal: 82 },
  { preset: 'transformer-47m-xl-wikitext103', precision: 'f16', ...xl, authors: [213.3, 18.2], goal: 86 },
  { preset: 'switchhead-45m-rope-wikitext103', precision: 'f16', ...rope, authors: [183.1, 10.9], goal: 61 },
  { preset: 'transformer-45m-rope-wikitext103', precision: 'f16', ...rope, authors: [127.2, 10.3] },
  { preset: 'switchhead-243m-rope-wikitext103', precision: 'f16', ...large, authors: [296.5, 17.1], goal: 130 },
  { preset: 'transformer-244m-rope-wikitext103', precision: 'f16', ...large, authors: [133.8, 14.3] },
  { preset: 'switchhead-47m-xl-wikitext103', precision: 'f32', ...xl },
  { preset: 'transformer-47m-xl-wikitext103', precision: 'f32', ...xl, authors: [311, 22.9], goal: 311 },
  { preset: 'switchhead-45m-rope-wikitext103', precision: 'f32', ...rope, authors: [336, 12.2], goal: 336 },
  { preset: 'transformer-45m-rope-wikitext103', precision: 'f32', ...rope, authors: [355.4, 24], goal: 355 },
  { preset: 'switchhead-243m-rope-wikitext103', precision: 'f32', ...large, authors: [730, 15.4], goal: 730 },
  { preset: 'tiny-dense', precision: 'f16', batch: 16, context: 128 },
  { preset: 'tiny-switchhead', precision: 'f16', batch: 16, context: 128 },
  { preset: 'tiny-switchhead', precision: 'f32', batch: 16, context: 128 },
]; // prettier-ignore

const title = ({ preset, precision }: Row): string => `${preset} ${precision}`;

interface Measured {
  readonly device: string;
  readonly milliseconds: number;
  readonly best: number;
  /** Of processor time in a step, all threads. */
  readonly processor: number;
  readonly gibibytes: number;
  readonly profile: string;
}

/** In a process of its own: makes a model ready, says so, and runs when told. */
async function measure(row: Row, seconds: number): Promise<Measured> {
  const preset = presets.find(({ name }) => name === row.preset);
  if (preset === undefined) throw new Error(`There is no preset "${row.preset}".`);
  const { model: usual, training: recipe } = resolveConfig(preset.config);
  const model = {
    ...usual,
    ...row.change,
    context: row.context,
    dropout: 0,
    expertDropout: 0,
    feedForwardExpertDropout: 0,
    layerDropout: 0,
  };
  const training = { ...recipe, batch: row.batch, accumulate: 1 };
  const executor = await WebgpuExecutor.open(row.precision);
  const stepper = createStepper(executor, { model, vocabulary, training });
  initialise(executor, modelParameters(model, vocabulary), training.seed);
  const tokens = (): Int32Array =>
    Int32Array.from({ length: row.batch * row.context }, () =>
      Math.floor(Math.random() * vocabulary),
    );
  const sources = row.context * (1 + model.memoryChunks);
  const inputs = {
    tokens: tokens(),
    targets: tokens(),
    visible: Int32Array.from({ length: 2 * row.batch }, (_, i) => (i % 2) * sources),
  };
  let lossScale = row.precision === 'f16' ? 65_536 : 1;
  let step = 0;
  const once = async (): Promise<void> => {
    step += 1;
    const { norm } = await stepper.step({ step, passedBy: 0, lossScale }, () => inputs);
    if (!Number.isFinite(norm)) lossScale /= 2;
  };
  process.send?.('ready');
  await new Promise((resolve) => process.once('message', resolve));
  for (let warm = 0; warm < 5; warm++) await once();
  const times: number[] = [];
  const before = process.cpuUsage();
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end || times.length < 10) {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  const feed: Feed = stepper.feed({ step: step + 1, passedBy: 0, lossScale }, 0, inputs);
  const entries = await stepper.programs[0].profile(feed);
  const total = entries.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const profile = entries
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
    .map(
      ({ op, calls, milliseconds }) =>
        `${milliseconds.toFixed(3).padStart(9)} ms ${((100 * milliseconds) / total).toFixed(1).padStart(5)} % ${String(calls).padStart(5)} × ${op}`,
    )
    .join('\n');
  return {
    device: executor.info.device,
    milliseconds: median(times),
    best: Math.min(...times),
    processor: (user + system) / 1000 / times.length,
    gibibytes: executor.memory().peak / 2 ** 30,
    profile: `${total.toFixed(3)} ms in all kernels\n${profile}\n`,
  };
}

const isChild = process.send !== undefined;
if (isChild) {
  const [index, seconds] = process.argv.slice(2).map(Number);
  const measured = await measure(rows[index], seconds);
  process.send?.(measured, () => process.exit());
} else {
  await compareAll();
}

async function compareAll(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      seconds: { type: 'string', default: '2' },
      together: { type: 'string', default: '4' },
      profiles: { type: 'string' },
    },
  });
  const chosen = [...rows.keys()].filter((i) => title(rows[i]).includes(options.only));
  const start = (index: number) => {
    const child = fork(import.meta.filename, [String(index), options.seconds]);
    const ready = new Promise<void>((resolve, reject) => {
      child.once('message', () => {
        resolve();
      });
      child.once('exit', (code) => {
        reject(new Error(`exit code ${String(code)}`));
      });
    });
    ready.catch(() => undefined);
    return { index, child, ready };
  };
  const waiting = chosen.slice(0, Number(options.together)).map(start);
  let next = waiting.length;
  process.stdout.write(
    '| model | ms a step (best) | tokens/s | GiB | processor ms | goal | authors |\n',
  );
  process.stdout.write('|---|---|---|---|---|---|---|\n');
  for (let current = waiting.shift(); current !== undefined; current = waiting.shift()) {
    const row = rows[current.index];
    try {
      await current.ready;
      const measured = await result(current.child);
      process.stdout.write(`${tableRow(row, measured)}\n`);
      if (options.profiles !== undefined) {
        mkdirSync(options.profiles, { recursive: true });
        const name = `${title(row).replaceAll(' ', '-')}.txt`;
        writeFileSync(join(options.profiles, name), measured.profile);
      }
    } catch (error) {
      process.stdout.write(`| ${title(row)} | failed: ${String(error)} |\n`);
    }
    if (next < chosen.length) waiting.push(start(chosen[next++]));
  }
}

function result(child: ChildProcess): Promise<Measured> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      resolve(message as Measured);
    });
    child.once('exit', (code) => {
      reject(new Error(`exit code ${String(code)}`));
    });
    child.send('go');
  });
}

function tableRow(row: Row, measured: Measured): string {
  const { milliseconds, best, processor, gibibytes, device } = measured;
  const tokens = Math.round((row.batch * row.context * 1000) / milliseconds);
  const authors = row.authors === undefined ? '' : `${row.authors[0]} ms, ${row.authors[1]} GiB`;
  return `| ${title(row)}, ${row.batch} × ${row.context} | ${milliseconds.toFixed(1)} (${best.toFixed(1)}) | ${tokens} | ${gibibytes.toFixed(2)} | ${processor.toFixed(1)} | ${row.goal ?? ''} | ${authors} | ${device} |`;
}
