/**
 * Training steps of Switchyard and of PyTorch, the same shapes, side by side: the programs take
 * turns, so that what else the machine does meets all of them. Prints a table of medians over rounds.
 * Needs `torch` for Python 3; without it the column stays empty.
 *
 *   node benchmarks/speed.mjs [rounds]
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const rounds = Number(process.argv[2] ?? 3);
const root = join(import.meta.dirname, '..');

/** The 8.8M models of the reference: no presets, as they train for hours on a processor. */
const small = (model: object) => ({
  model: {
    context: 256,
    layers: 6,
    width: 256,
    feedForward: 'dense',
    feedForwardWidth: 1024,
    ...model,
  },
  training: { batch: 8 },
});
const files = {
  'small-dense': small({ attention: 'dense', heads: 8, headWidth: 32 }),
  'small-switchhead': small({
    attention: 'switchhead',
    heads: 2,
    headWidth: 48,
    experts: 4,
    activeExperts: 2,
  }),
};
const models = [
  { name: 'tiny-dense', backends: ['tensorflow', 'wasm'], steps: 20 },
  { name: 'tiny-switchhead', backends: ['tensorflow', 'wasm'], steps: 20 },
  { name: 'tiny-switchall', backends: ['tensorflow', 'wasm'], steps: 20 },
  { name: 'small-dense', backends: ['tensorflow'], steps: 5 },
  { name: 'small-switchhead', backends: ['tensorflow'], steps: 5 },
] as const;

function run(program: string, args: readonly string[]): string {
  return spawnSync(program, args, {
    encoding: 'utf8',
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).stdout;
}

function switchyard(name: string, backend: string, steps: number): number {
  let source: string = name;
  if (name in files) {
    source = join(tmpdir(), `${name}.json`);
    writeFileSync(source, JSON.stringify(files[name as keyof typeof files]));
  }
  const vocabulary = name in files ? ['--vocabulary', '8000'] : [];
  const args = [
    'bench',
    source,
    '--backend',
    backend,
    '--steps',
    String(steps),
    ...vocabulary,
    '--json',
  ];
  const output = run(process.execPath, [join(root, 'core/server/cli/main.ts'), ...args]);
  const record = output.split('\n').find((line) => line.startsWith('{"type":"bench"'));
  return record === undefined
    ? NaN
    : (JSON.parse(record) as { medianMilliseconds: number }).medianMilliseconds;
}

function pytorch(name: string, steps: number): number {
  const output = run('python3', [
    join(root, 'benchmarks/pytorch.py'),
    '--steps',
    String(steps),
    name,
  ]);
  return Number(/([\d.]+) ms\/step median/u.exec(output)?.[1] ?? NaN);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

process.stdout.write('model | PyTorch ms | backend | ms | ratio (per round)\n');
for (const { name, backends, steps } of models) {
  const times = Object.fromEntries(['pytorch', ...backends].map((who) => [who, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    times.pytorch.push(pytorch(name, steps));
    for (const backend of backends) times[backend].push(switchyard(name, backend, steps));
  }
  for (const backend of backends) {
    const ratios = times[backend].map((time, round) => (time / times.pytorch[round]).toFixed(2));
    process.stdout.write(
      `${name} | ${median(times.pytorch).toFixed(0)} | ${backend} | ${median(times[backend]).toFixed(0)} | ${ratios.join(', ')}\n`,
    );
  }
}
