import type { ModelConfig } from '../../contract/config.ts';
import type { Tensor } from '../../graph/graph.ts';
import { cvmm, type CvmmAttributes } from '../../graph/ops/cvmm.ts';
import { matmul } from '../../graph/ops/matmul.ts';
import { select } from '../../graph/ops/select.ts';
import type { ModelBuilder } from '../builder.ts';
import { preNormDeviation } from '../initialisation.ts';
import { attend, project, type AttentionFamily, type AttentionSides } from './attend.ts';

type Side = 'source' | 'destination';
type Routing = ReturnType<typeof select>;

/**
 * SwitchHead (Csordás et al. 2024, section 2.2): few heads, each with E experts for some of its
 * projections. K and V are chosen by the source token, Q and O by the destination token; where both
 * sides have experts they can share one selection matrix.
 */
export const switchHead: AttentionFamily = (builder, name, sides, config) => {
  const { heads, headWidth, width } = config;
  const channels = heads * headWidth;
  const isExpert = (projection: string) => config.expertProjections.includes(projection);
  const route = routes(builder, name, sides, config);

  const expertIn: ExpertShape = {
    rows: width,
    columns: headWidth,
    fanIn: width,
    layout: { from: 'token', to: 'group' },
  };
  const expertOut: ExpertShape = {
    rows: headWidth,
    columns: width,
    fanIn: channels,
    layout: { from: 'group', to: 'token' },
  };
  const projectIn = (projection: 'q' | 'k' | 'v', side: Side): Tensor =>
    isExpert(projection)
      ? mix(builder, `${name}.${projection}`, sides[side], route(side), expertIn, config)
      : project(builder, `${name}.${projection}`, sides[side], channels, config);
  const q = projectIn('q', 'destination'); // [B, T, H·P]
  const k = projectIn('k', 'source'); // [B, S, H·P]
  const v = projectIn('v', 'source');
  const y = attend(builder, name, { q, k, v }, sides.visible, config); // [B, T, H·P]
  return isExpert('o')
    ? mix(builder, `${name}.o`, y, route('destination'), expertOut, config)
    : project(builder, `${name}.o`, y, width, config);
};

/**
 * The selections of a layer, each made when it is first asked for. Their matrices are called
 * selectV and selectO after the projections that the paper gives experts to.
 */
function routes(
  builder: ModelBuilder,
  name: string,
  sides: AttentionSides,
  config: ModelConfig,
): (side: Side) => Routing {
  const { heads, experts, activeExperts, layers, width, selection, expertDropout } = config;
  const matrices = new Map<string, Tensor>();
  const matrixOf = (side: Side): Tensor => {
    const key = side === 'destination' || selection === 'shared' ? 'selectO' : 'selectV';
    const matrix =
      matrices.get(key) ??
      builder.parameter('selection', `${name}.${key}`, [width, heads * experts], {
        kind: 'equalColumns',
        deviation: preNormDeviation(layers, width),
      });
    matrices.set(key, matrix);
    return matrix;
  };
  const made = new Map<string, Routing>();
  return (side) => {
    // Shared and without memory, both sides are one and the same choice.
    const same = selection === 'shared' && sides.source === sides.destination;
    const key = same ? 'both' : side;
    const routing = made.get(key) ?? choose(matmul(sides[side], matrixOf(side)));
    made.set(key, routing);
    return routing;
  };

  function choose(logits: Tensor): Routing {
    const candidates = builder.dropExperts(logits, expertDropout);
    return select(candidates, { groups: heads, k: activeExperts });
  }
}

/** From where to where the experts of a projection map. */
interface ExpertShape {
  readonly rows: number;
  readonly columns: number;
  /** Channels that one output sums over, all heads together. */
  readonly fanIn: number;
  readonly layout: Pick<CvmmAttributes, 'from' | 'to'>;
}

/** The weighted sum of what the chosen experts make of x, for every head, or over all heads. */
function mix(
  builder: ModelBuilder,
  name: string,
  x: Tensor,
  { indices, weights }: Routing,
  { rows, columns, fanIn, layout }: ExpertShape,
  { heads, experts, activeExperts, layers }: ModelConfig,
): Tensor {
  const matrices = builder.parameter('projections', name, [heads * experts, rows, columns], {
    kind: 'normal',
    deviation: preNormDeviation(layers, fanIn),
  });
  return cvmm(x, indices, matrices, weights, { groups: heads, k: activeExperts, ...layout });
}
