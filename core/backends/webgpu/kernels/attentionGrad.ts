import { namedInputs } from '../../../graph/ops/attention.ts';
import { keyMatrixPass, positionMatrixPass, queryMatrixPass } from '../attention/backwardMatrix.ts';
import { chooseMatrixTile, type MatrixTile } from '../attention/backwardMatrixTile.ts';
import { backwardOperands, type BackwardOperands } from '../attention/backwardOperands.ts';
import {
  biasGradient,
  positionGradient,
  positionPartials,
  queryPartials,
  scaleGradient,
} from '../attention/backwardPartials.ts';
import { keyPass, positionPass, queryPass } from '../attention/backwardPasses.ts';
import { tile as plainTile } from '../attention/backwardTile.ts';
import type { Dispatch, Kernels, Operand, Setup } from '../kernel.ts';

export const attentionGradKernels = {
  attentionGrad: ({ inputs, outputs, attributes }, setup) => {
    const [y, saved, dy] = inputs.slice(-3);
    const tensors = { inputs: namedInputs(inputs, attributes), y, saved, dy };
    const operands = backwardOperands(tensors, attributes, setup);
    const tile = chooseMatrixTile(operands, setup.facts);
    const shared = tile && sharesWeights(tile) ? tile : undefined;
    const [dq, dk, dv, ...others] = outputs.map((tensor) => setup.operand(tensor));
    const given = attributes.given.filter((name) => name !== 'visible');
    const optional = Object.fromEntries(given.map((name, i) => [name, others[i]]));
    return [
      ...operands.dispatches,
      ...queryGradients(operands, tile, { dq, ...optional }, setup),
      shared ? keyMatrixPass(operands, shared, dk, dv) : keyPass(operands, dk, dv),
      ...(optional.positions ? positionGradients(operands, shared, optional.positions, setup) : []),
    ];
  },
} satisfies Partial<Kernels>;

/**
 * Whether subgroups may multiply by weights that other subgroups have written, as the passes for keys
 * and for positions do. With matrices of 16 rows (NVIDIA, driver 580) these two gave wrong sums, for a
 * reason not yet found; with matrices of 8 rows they are right. The plain passes read f16 as well.
 */
const sharesWeights = ({ unit }: MatrixTile): boolean => unit === 8;

interface QueryGradients {
  readonly dq: Operand;
  readonly contentBias?: Operand;
  readonly positionBias?: Operand;
  readonly scale?: Operand;
}

/** dq and what is summed over all queries; on matrix units where there is a tile for them. */
function queryGradients(
  operands: BackwardOperands,
  tile: MatrixTile | undefined,
  { dq, contentBias, positionBias, scale }: QueryGradients,
  setup: Setup,
): Dispatch[] {
  const partials = queryPartials(operands, tile?.queries ?? plainTile, setup);
  const pass = tile
    ? queryMatrixPass(operands, tile, dq, partials)
    : queryPass(operands, dq, partials);
  if (partials === undefined) return [pass];
  const { sizes } = operands;
  return [
    pass,
    ...(contentBias ? [biasGradient(partials, sizes, 0, contentBias)] : []),
    ...(positionBias ? [biasGradient(partials, sizes, 1, positionBias)] : []),
    ...(scale ? [scaleGradient(partials, operands, scale)] : []),
  ];
}

function positionGradients(
  operands: BackwardOperands,
  tile: MatrixTile | undefined,
  dPositions: Operand,
  setup: Setup,
): Dispatch[] {
  const blocks = tile
    ? { queries: tile.unit, sources: tile.sources }
    : { queries: plainTile, sources: plainTile };
  const partials = positionPartials(operands.sizes, blocks, setup);
  return [
    tile ? positionMatrixPass(operands, tile, partials) : positionPass(operands, partials),
    positionGradient(partials, operands.sizes, dPositions),
  ];
}
