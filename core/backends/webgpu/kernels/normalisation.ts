/** Layer normalisation, softmax and their gradients. */
import { last, rowsOf } from '../../../graph/shapes.ts';
import type { Dispatch, Kernels, Operand, Setup } from '../kernel.ts';
import { wgslType } from '../shader.ts';
import { operands } from './elementwise.ts';
import { floats, literal } from './grid.ts';
import { largest, lowest, reduction, total } from './reduction.ts';
import {
  rowGrid,
  rowLayout,
  rowMain,
  rowOf,
  rowSweep,
  teamMain,
  type RowLayout,
} from './rowSweep.ts';
import { sumOfPartials } from './sums.ts';

const sumOverRow = ({ lanes }: RowLayout, type = 'f32'): string =>
  reduction('sumOverRow', type, lanes, 'a + b');

/** x [rows, D] → y [rows, D], means [rows], deviations [rows]; the variance from centred values. */
function layernorm(
  [x, gain, bias, y, means, deviations]: readonly Operand[],
  layout: RowLayout,
  epsilon: number,
): Dispatch {
  const { vector, columns } = layout;
  const wide = (operand: Operand): Operand => ({ ...operand, vector });
  const type = floats(vector);
  const sweep = rowSweep(layout, { value: `${type}(x[at])` });
  const width = literal(columns * vector);
  return {
    kernel: 'layernorm',
    reads: { x: wide(x), gain: wide(gain), bias: wide(bias) },
    writes: { y: wide(y), means, deviations },
    code: `
${total(vector)}
${sumOverRow(layout)}
${rowMain(
  layout,
  `${sweep.load}
  var sum = 0.0;${sweep.each(() => 'sum += total(value);')}
  let mean = sumOverRow(sum, thread) / ${width};
  var squares = 0.0;${sweep.each(() => 'let d = value - mean; squares += total(d * d);')}
  let variance = sumOverRow(squares, thread) / ${width};
  let deviation = 1.0 / sqrt(variance + ${literal(epsilon)});
  if (inside && lane == 0u) {
    means[row] = ${means.type}(mean);
    deviations[row] = ${deviations.type}(deviation);
  }${sweep.each(
    () => `
    let normal = (value - mean) * deviation;
    y[at] = ${wgslType(wide(y))}(normal * ${type}(gain[c]) + ${type}(bias[c]));`,
  )}`,
)}`,
    workgroups: rowGrid(layout),
  };
}

/** Workgroups over which the rows of layernormGrad are shared: enough to fill a GPU, few to sum. */
const blocksWanted = 512;

/**
 * dx in one pass; the gradients of gain and bias as sums over blocks of rows, which a second dispatch
 * sums. Every thread keeps the sums of its own columns over the rows of its team.
 */
function layernormGrad(
  [x, gain, means, deviations, dy, dx, dGain, dBias]: readonly Operand[],
  rowsOfAll: RowLayout,
  setup: Setup,
): Dispatch[] {
  const layout = { ...rowsOfAll, held: true }; // the sums of a column need a register in any case
  const { rows, teams, vector, columns, turns } = layout;
  const rowsOfTeam = Math.ceil(rows / (teams * blocksWanted));
  const blocks = Math.ceil(rows / (teams * rowsOfTeam));
  const partials = setup.scratch('f32', blocks * 2 * columns * vector); // [blocks, 2, D]
  const wide = (operand: Operand): Operand => ({ ...operand, vector });
  const first: Dispatch = {
    kernel: 'layernormGrad',
    reads: { x: wide(x), gain: wide(gain), means, deviations, dy: wide(dy) },
    writes: { dx: wide(dx), partials: wide(partials) },
    code: `
${total(vector)}
${sumOverRow(layout, 'vec2<f32>')}
${sumOverTeams(layout)}
${teamMain(
  layout,
  `${Array.from(
    { length: turns },
    (_, turn) => `
  var perGain${turn}: ${floats(vector)};
  var perBias${turn}: ${floats(vector)};`,
  ).join('')}
  for (var k = 0u; k < ${rowsOfTeam}u; k++) {
${gradientOfRow(layout, rowsOfTeam, wgslType(wide(dx)))}
  }
${Array.from({ length: turns }, (_, turn) => partialsOfTurn(layout, turn)).join('')}`,
)}`,
    workgroups: [blocks, 1, 1],
  };
  return [first, sumOfPartials('layernormGrad sum', partials, blocks, { dGain, dBias })];
}

/**
 * WGSL of one row. With x̂ the normalised row and g = dy·gain:
 * dx = (g − mean(g) − x̂·mean(g·x̂)) / deviation.
 */
function gradientOfRow(layout: RowLayout, rowsOfTeam: number, stored: string): string {
  const { teams, vector, columns } = layout;
  const type = floats(vector);
  const sweep = rowSweep(layout, {
    normal: `(${type}(x[at]) - mean) * deviation`,
    d: `${type}(dy[at])`,
  });
  return `${rowOf(layout, `(group * ${rowsOfTeam}u + k) * ${teams}u + team`)}
  let some = min(row, ${layout.rows - 1}u);
  let mean = f32(means[some]);
  let deviation = f32(deviations[some]);${sweep.load}
  var sums = vec2<f32>();${sweep.each(
    (turn) => `
    perGain${turn} += d * normal;
    perBias${turn} += d;
    let g = d * ${type}(gain[c]);
    sums += vec2<f32>(total(g), total(g * normal));`,
  )}
  let average = sumOverRow(sums, thread) / ${literal(columns * vector)};${sweep.each(
    () => `
    let g = d * ${type}(gain[c]);
    dx[at] = ${stored}((g - average.x - normal * average.y) * deviation);`,
  )}`;
}

/** WGSL: sums of two values over the threads of the same lane, one of each team; for team 0. */
function sumOverTeams({ vector, lanes, teams }: RowLayout): string {
  const type = floats(vector);
  if (teams === 1)
    return `fn sumOverTeams(a: ${type}, b: ${type}, thread: u32) -> Pair { return Pair(a, b); }
struct Pair { a: ${type}, b: ${type} }`;
  return `
struct Pair { a: ${type}, b: ${type} }
var<workgroup> teamA: array<${type}, ${lanes * teams}>;
var<workgroup> teamB: array<${type}, ${lanes * teams}>;
fn sumOverTeams(a: ${type}, b: ${type}, thread: u32) -> Pair {
  workgroupBarrier(); // others may still read the values before these
  teamA[thread] = a;
  teamB[thread] = b;
  workgroupBarrier();
  var sum = Pair(a, b);
  if (thread < ${lanes}u) {
    for (var other = thread + ${lanes}u; other < ${lanes * teams}u; other += ${lanes}u) {
      sum.a += teamA[other];
      sum.b += teamB[other];
    }
  }
  return sum;
}`;
}

/** WGSL: a turn's sums over the rows of a workgroup, into partials [blocks, 2, D]. */
function partialsOfTurn({ lanes, columns }: RowLayout, turn: number): string {
  return `
  {
    let sum = sumOverTeams(perGain${turn}, perBias${turn}, thread);
    let c = lane + ${turn * lanes}u;
    if (team == 0u && c < ${columns}u) {
      partials[group * ${2 * columns}u + c] = sum.a;
      partials[group * ${2 * columns}u + ${columns}u + c] = sum.b;
    }
  }`;
}

/** x [rows, N] → y [rows, N]. */
function softmax([x, y]: readonly Operand[], layout: RowLayout): Dispatch {
  const { vector, lanes } = layout;
  const wide = (operand: Operand): Operand => ({ ...operand, vector });
  const sweep = rowSweep(layout, { value: `${floats(vector)}(x[at])` });
  return {
    kernel: 'softmax',
    reads: { x: wide(x) },
    writes: { y: wide(y) },
    code: `
${total(vector)}
${largest(vector)}
${sumOverRow(layout)}
${reduction('topOfRow', 'f32', lanes, 'max(a, b)')}
${rowMain(
  layout,
  `${sweep.load}
  var most = ${lowest};${sweep.each(() => 'most = max(most, largest(value));')}
  let top = topOfRow(most, thread);
  var sum = 0.0;${sweep.each(() => 'sum += total(exp(value - top));')}
  let share = 1.0 / sumOverRow(sum, thread);${sweep.each(
    () => `y[at] = ${wgslType(wide(y))}(exp(value - top) * share);`,
  )}`,
)}`,
    workgroups: rowGrid(layout),
  };
}

/** y, dy [rows, N] → dx [rows, N] = y·(dy − Σ y·dy). */
function softmaxGrad([y, dy, dx]: readonly Operand[], layout: RowLayout): Dispatch {
  const { vector } = layout;
  const wide = (operand: Operand): Operand => ({ ...operand, vector });
  const type = floats(vector);
  const sweep = rowSweep(layout, { share: `${type}(y[at])`, d: `${type}(dy[at])` });
  return {
    kernel: 'softmaxGrad',
    reads: { y: wide(y), dy: wide(dy) },
    writes: { dx: wide(dx) },
    code: `
${total(vector)}
${sumOverRow(layout)}
${rowMain(
  layout,
  `${sweep.load}
  var products = 0.0;${sweep.each(() => 'products += total(share * d);')}
  let along = sumOverRow(products, thread);${sweep.each(
    () => `dx[at] = ${wgslType(wide(dx))}(share * (d - along));`,
  )}`,
)}`,
    workgroups: rowGrid(layout),
  };
}

const layoutOf = ({ shape }: { shape: readonly number[] }): RowLayout =>
  rowLayout(rowsOf(shape), last(shape));

export const normalisationKernels = {
  layernorm: ({ inputs, outputs, attributes: { epsilon } }, setup) => [
    layernorm(operands([...inputs, ...outputs], setup), layoutOf(inputs[0]), epsilon),
  ],
  layernormGrad: ({ inputs, outputs }, setup) =>
    layernormGrad(operands([...inputs, ...outputs], setup), layoutOf(inputs[0]), setup),
  softmax: ({ inputs, outputs }, setup) => [
    softmax(operands([...inputs, ...outputs], setup), layoutOf(inputs[0])),
  ],
  softmaxGrad: ({ inputs, outputs }, setup) => [
    softmaxGrad(operands([...inputs, ...outputs], setup), layoutOf(inputs[0])),
  ],
} satisfies Partial<Kernels>;
