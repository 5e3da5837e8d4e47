/** Adding up the rows of the items that share a row of a result, always in the order of the items. */
import { total, reduction } from '../kernels/reduction.ts';
import { floats, perThread, threadGrid } from '../kernels/grid.ts';
import type { Dispatch, Operand } from '../kernel.ts';
import { rowGrid, rowLayout, rowMain } from '../kernels/rowSweep.ts';
import { wgslType } from '../shader.ts';

export interface Combination {
  readonly kernel: string;
  /** A row for every item: [M, width]. */
  readonly items: Operand;
  /** [M] */
  readonly weights: Operand | undefined;
  /** How many items share a row. */
  readonly perRow: number;
  readonly width: number;
  /** [M / perRow, width] */
  readonly y: Operand;
}

/** y[row] = Σ_j w[row·perRow + j] · items[row·perRow + j]. */
export function combine({ kernel, weights, perRow, width, ...rest }: Combination): Dispatch {
  const vector = width % 4 === 0 ? 4 : 1;
  const items: Operand = { ...rest.items, vector };
  const y: Operand = { ...rest.y, vector };
  const columns = width / vector;
  const weight = weights === undefined ? '' : 'f32(weights[item]) * ';
  return {
    kernel,
    reads: { items, ...(weights === undefined ? {} : { weights }) },
    writes: { y },
    code: perThread(
      y.length / vector,
      `  let row = i / ${columns}u;
  let column = i % ${columns}u;
  var sum = ${floats(vector)}();
  for (var j = 0u; j < ${perRow}u; j++) {
    let item = row * ${perRow}u + j;
    sum += ${weight}${floats(vector)}(items[item * ${columns}u + column]);
  }
  y[i] = ${wgslType(y)}(sum);`,
    ),
    workgroups: threadGrid(y.length / vector),
  };
}

export interface WeightedCombination extends Combination {
  readonly weights: Operand;
  /** [M / perRow, width] */
  readonly x: Operand;
  /** [M] */
  readonly dWeights: Operand;
}

/**
 * As {@link combine}, and in the same pass the gradient of the weights: dw[item] = x[row of item] ·
 * items[item]. A team of threads takes a row.
 */
export function combineWithGradient(combination: WeightedCombination): Dispatch {
  const { kernel, weights, perRow, width, dWeights } = combination;
  const layout = rowLayout(combination.y.length / width, width);
  const { vector, columns, lanes } = layout;
  const items: Operand = { ...combination.items, vector };
  const x: Operand = { ...combination.x, vector };
  const y: Operand = { ...combination.y, vector };
  const numbers = Array.from({ length: perRow }, (_, j) => j);
  const part = (j: number) => 'xyzw'[j % 4];
  const fours = numbers.filter((j) => j % 4 === 0); // dot products are summed four at once
  const type = floats(vector);
  return {
    kernel,
    reads: { items, x, weights },
    writes: { y, dWeights },
    code: `${reduction('sumFour', 'vec4<f32>', lanes, 'a + b')}
${total(vector)}
${rowMain(
  layout,
  `  let first = row * ${perRow}u;
${fours.map((j) => `  var dots${j} = vec4<f32>();`).join('\n')}
  for (var column = lane; column < end; column += ${lanes}u) {
    let value = ${type}(x[start + column]);
    var sum = ${type}();
${numbers
  .map(
    (j) => `    {
      let u = ${type}(items[(first + ${j}u) * ${columns}u + column]);
      sum += f32(weights[first + ${j}u]) * u;
      dots${j - (j % 4)}.${part(j)} += total(value * u);
    }`,
  )
  .join('\n')}
    y[start + column] = ${wgslType(y)}(sum);
  }
${fours
  .map(
    (four) => `  {
    let dots = sumFour(dots${four}, thread);
    if (inside && lane == 0u) {
${numbers
  .slice(four, four + 4)
  .map((j) => `      dWeights[first + ${j}u] = ${wgslType(dWeights)}(dots.${part(j)});`)
  .join('\n')}
    }
  }`,
  )
  .join('\n')}`,
)}`,
    workgroups: rowGrid(layout),
  };
}
