/**
 * Times the matrix products of the WebGPU backend at the shapes of real models, by the GPU's own
 * clock, and checks some results of each against float64. Prints one table.
 *
 *   node benchmarks/webgpu/products.ts [--precision f16] [--variants] [--only text] [--tile text]
 *
 * Without --variants the tile is the one that training would use. --only and --tile keep shapes and
 * tiles whose names contain the text.
 */
import { parseArgs } from 'node:util';
import { WebgpuExecutor } from '../../core/backends/webgpu/executor.ts';
import {
  elementBytes,
  rangeBytes,
  type Dispatch,
  type ElementType,
  type Operand,
} from '../../core/backends/webgpu/kernel.ts';
import { denseProduct, type DenseProduct } from '../../core/backends/webgpu/kernels/products.ts';
import { tileFits } from '../../core/backends/webgpu/products/tile.ts';
import {
  chooseDivision,
  divide,
  tileChoices,
  tileVariants,
  type Division,
} from '../../core/backends/webgpu/products/tiles.ts';
import { profileDispatches } from '../../core/backends/webgpu/profile.ts';
import type { Prepared } from '../../core/backends/webgpu/program.ts';
import { bindingsOf } from '../../core/backends/webgpu/shader.ts';

const { values: options } = parseArgs({
  options: {
    precision: { type: 'string', default: 'f32' },
    variants: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    tile: { type: 'string', default: '' },
  },
});
const precision = options.precision === 'f16' ? 'f16' : 'f32';

interface Shape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly form: 'nn' | 'nt' | 'tn';
  readonly relu?: boolean;
  /** Types of a, b and c with precision f16, as training stores them. */
  readonly types: readonly [ElementType, ElementType, ElementType];
}

const forward = ['f16', 'f32', 'f16'] as const;
const gradient = ['f16', 'f16', 'f32'] as const;
const logits = ['f16', 'f32', 'f32'] as const;
const shapes: readonly Shape[] = [
  { m: 16_384, k: 412, n: 2080, form: 'nn', relu: true, types: forward },
  { m: 16_384, k: 2080, n: 412, form: 'nn', types: forward },
  { m: 16_384, k: 2080, n: 412, form: 'nt', types: forward },
  { m: 16_384, k: 412, n: 2080, form: 'nt', types: forward },
  { m: 412, k: 16_384, n: 2080, form: 'tn', types: gradient },
  { m: 2080, k: 16_384, n: 412, form: 'tn', types: gradient },
  { m: 16_384, k: 412, n: 8000, form: 'nn', types: forward },
  { m: 16_384, k: 8000, n: 412, form: 'nt', types: forward },
  { m: 412, k: 16_384, n: 8000, form: 'tn', types: gradient },
  { m: 32_768, k: 412, n: 152, form: 'nn', types: forward },
  { m: 412, k: 32_768, n: 152, form: 'tn', types: gradient },
  { m: 16_384, k: 412, n: 10, form: 'nn', types: logits },
  { m: 412, k: 16_384, n: 10, form: 'tn', types: gradient },
  { m: 16_384, k: 1024, n: 4136, form: 'nn', relu: true, types: forward },
  { m: 1024, k: 16_384, n: 4136, form: 'tn', types: gradient },
  { m: 16_384, k: 1024, n: 328, form: 'nn', types: forward },
  { m: 1, k: 412, n: 8000, form: 'nn', types: forward },
  { m: 1024, k: 256, n: 41, form: 'nn', types: forward },
  { m: 4096, k: 4096, n: 4096, form: 'nn', types: ['f16', 'f16', 'f32'] },
];

const nameOf = ({ m, k, n, form, relu }: Shape): string =>
  `${m}×${k}·${k}×${n} ${form}${relu === true ? ' relu' : ''}`;

/** Multiples of 1/512: exact in f16 too. The length is no multiple of any row's. */
const pool = Float32Array.from(
  { length: 4_000_008 },
  () => Math.round(Math.random() * 1024 - 512) / 512,
);

const executor = await WebgpuExecutor.open(precision);
const { gpu, facts } = executor;
const buffers = new Map<string, GPUBuffer>();

function makeBuffer(place: string, { length, type }: Pick<Operand, 'length' | 'type'>): GPUBuffer {
  const buffer = executor.allocate(rangeBytes({ length, type }), 0x80 | 0x8 | 0x4, place);
  buffers.set(place, buffer);
  return buffer;
}

function fill(place: string, operand: Operand): Operand {
  const buffer = makeBuffer(place, operand);
  const values = operand.type === 'f16' ? new Uint16Array(new Float16Array(pool).buffer) : pool;
  for (let first = 0; first < operand.length; first += pool.length)
    gpu.queue.writeBuffer(
      buffer,
      first * elementBytes[operand.type],
      values,
      0,
      Math.min(pool.length, Math.ceil((operand.length - first) / 2) * 2),
    );
  return operand;
}

function clear(): void {
  for (const buffer of buffers.values()) executor.release(buffer);
  buffers.clear();
}

function problem(shape: Shape): DenseProduct {
  const { m, k, n, form, relu = false } = shape;
  const types = precision === 'f16' ? shape.types : (['f32', 'f32', 'f32'] as const);
  const operand = (place: string, length: number, type: ElementType): Operand => ({
    place,
    offset: 0,
    length,
    type,
    vector: 1,
  });
  const c = operand('c', m * n, types[2]);
  makeBuffer('c', c);
  return {
    m,
    k,
    n,
    relu,
    a: fill('a', operand('a', m * k, types[0])),
    b: fill('b', operand('b', k * n, types[1])),
    c,
    bias: undefined,
    transposeA: form === 'tn',
    transposeB: form === 'nt',
  };
}

async function prepare(dispatch: Dispatch, op: string): Promise<Prepared> {
  const { layout, pipeline } = executor.pipelines.get(dispatch);
  const entries = bindingsOf(dispatch).map(({ operand }, binding) => ({
    binding,
    resource: {
      buffer: buffers.get(operand.place) ?? makeBuffer(operand.place, operand),
      size: rangeBytes(operand),
    },
  }));
  return {
    op,
    kernel: dispatch.kernel,
    workgroups: dispatch.workgroups,
    pipeline: await pipeline,
    group: gpu.createBindGroup({ layout, entries }),
  };
}

/** Seconds of a product, the median of several runs. */
async function time(dispatches: readonly Dispatch[]): Promise<number> {
  const prepared = await Promise.all(dispatches.map((dispatch) => prepare(dispatch, '')));
  const runs = Array.from({ length: 9 }, (_, run) =>
    prepared.map((one) => ({ ...one, op: `run ${run}` })),
  );
  const entries = await profileDispatches(executor, runs.flat());
  const times = runs.map((_, run) =>
    entries
      .filter(({ op }) => op.startsWith(`run ${run}`))
      .reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  );
  return times.sort((x, y) => x - y)[times.length >> 1] / 1000;
}

const checks = 48;

/** The largest error of some results, in standard deviations of a result. */
async function error({ m, k, n, c, transposeA, transposeB, relu }: DenseProduct): Promise<number> {
  const places = Array.from({ length: checks }, (_, i) =>
    i < 2 ? i * (m * n - 1) : Math.floor(Math.random() * m * n),
  );
  const staging = executor.allocate(4 * checks, 0x1 | 0x8, 'checks');
  const encoder = gpu.createCommandEncoder();
  const source = buffers.get('c') as unknown as GPUBuffer;
  const bytes = elementBytes[c.type];
  for (const [i, place] of places.entries())
    encoder.copyBufferToBuffer(source, Math.floor((place * bytes) / 4) * 4, staging, 4 * i, 4);
  gpu.queue.submit([encoder.finish()]);
  await executor.fault.guard(staging.mapAsync(1));
  const mapped = staging.getMappedRange().slice(0);
  executor.release(staging);
  const got = c.type === 'f16' ? new Float16Array(mapped) : new Float32Array(mapped);
  let worst = 0;
  for (const [i, place] of places.entries()) {
    const [row, column] = [Math.floor(place / n), place % n];
    let sum = 0;
    for (let step = 0; step < k; step++)
      sum +=
        pool[(transposeA ? step * m + row : row * k + step) % pool.length] *
        pool[(transposeB ? column * k + step : step * n + column) % pool.length];
    const value = c.type === 'f16' ? got[2 * i + (place % 2)] : got[i];
    const difference = Math.abs(value - (relu ? Math.max(0, sum) : sum));
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  return worst / (Math.sqrt(k) / 3);
}

interface Candidate {
  readonly name: string;
  readonly division: Division;
}

function candidates(product: DenseProduct): readonly Candidate[] {
  const all = [...tileChoices, ...tileVariants];
  if (!options.variants) {
    const division = chooseDivision(product, facts);
    const name = all.find(({ tile }) => tile === division.tile)?.name ?? '';
    return [{ name, division }];
  }
  const fitting = all
    .filter(({ tile, name }) => tileFits(tile, facts) && name.includes(options.tile))
    .map((choice) => ({ name: choice.name, division: divide(choice, product, facts) }));
  const padded = ({ division: { tile } }: Candidate) =>
    Math.ceil(product.m / tile.m) * tile.m * Math.ceil(product.n / tile.n) * tile.n;
  const least = Math.min(...fitting.map(padded));
  const isMatrix = facts.matrixUnit !== undefined;
  return fitting.filter(
    (one) =>
      padded(one) < 2.5 * least &&
      (!isMatrix || options.tile !== '' || one.division.tile.kind === 'matrix'),
  );
}

const row = (cells: readonly (string | number)[]): string =>
  [
    String(cells[0]).padEnd(32),
    String(cells[1]).padEnd(26),
    ...cells.slice(2).map((cell) => String(cell).padStart(9)),
  ].join(' ');

console.log(`${executor.info.device}, ${precision}`);
console.log(row(['product', 'tile', 'ranges', 'ms', 'TFLOP/s', 'GB/s', 'error']));
for (const shape of shapes) {
  if (!nameOf(shape).includes(options.only)) continue;
  const product = problem(shape);
  const { m, k, n, a, b, c } = product;
  const programs = candidates(product).map((candidate) => {
    const scratch = (type: ElementType, length: number): Operand => ({
      place: `${candidate.name} ${length}`,
      offset: 0,
      length,
      type,
      vector: 1,
    });
    const dispatches = denseProduct(product, { facts, scratch }, candidate.division);
    for (const dispatch of dispatches) void executor.pipelines.get(dispatch); // compile side by side
    return { ...candidate, dispatches };
  });
  for (const { name, division, dispatches } of programs) {
    const seconds = await time(dispatches);
    const bytes = [a, b, c].reduce((sum, operand) => sum + rangeBytes(operand), 0);
    console.log(
      row([
        nameOf(shape),
        name,
        division.splits,
        (seconds * 1e3).toFixed(3),
        ((2 * m * k * n) / seconds / 1e12).toFixed(1),
        (bytes / seconds / 1e9).toFixed(0),
        (await error(product)).toExponential(1),
      ]),
    );
    // Another tile must not pass for right with this one's results.
    const wipe = gpu.createCommandEncoder();
    wipe.clearBuffer(buffers.get('c') as unknown as GPUBuffer);
    gpu.queue.submit([wipe.finish()]);
  }
  clear();
}
executor.dispose();
process.exit(0);
