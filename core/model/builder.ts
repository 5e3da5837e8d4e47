import type { ParameterPart } from '../contract/records.ts';
import type { Graph, Tensor } from '../graph/graph.ts';
import type { AttentionAttributes } from '../graph/ops/attention.ts';
import { dropout } from '../graph/ops/dropout.ts';
import { expertDropout } from '../graph/ops/expertDropout.ts';
import { layernorm } from '../graph/ops/layernorm.ts';
import { sinusoid } from '../graph/ops/sinusoid.ts';
import type { Init, Parameter } from './parameters.ts';

/** What differs between building a model for training, for evaluation and on one executor or another. */
export interface BuildOptions {
  /** Whether dropout and regularisers take part. */
  readonly training: boolean;
  readonly attentionSave: AttentionAttributes['save'];
}

/** Collects a model's parameters and regularisers while its graph is built. */
export class ModelBuilder {
  readonly graph: Graph;
  readonly options: BuildOptions;
  readonly parameters: Parameter[] = [];
  readonly tensors: Tensor[] = [];
  /** Scalars to add to the loss. */
  readonly regularisers: Tensor[] = [];
  private readonly positionCodes = new Map<string, Tensor>();
  private dropoutSites = 0;

  constructor(graph: Graph, options: BuildOptions) {
    this.graph = graph;
    this.options = options;
  }

  parameter(part: ParameterPart, name: string, shape: readonly number[], init: Init): Tensor {
    const tensor = this.graph.variable(name, shape);
    this.parameters.push({ name, shape, init, part });
    this.tensors.push(tensor);
    return tensor;
  }

  /** Dropout with masks of its own, in training; nothing at rate 0. */
  dropout(x: Tensor, rate: number): Tensor {
    const site = this.dropoutSites++;
    return this.drops(rate) ? dropout(x, { rate, site }) : x;
  }

  /** Layer dropout: whole tokens [B, T, D] of what a layer adds are zero, in training. */
  dropTokens(x: Tensor, rate: number): Tensor {
    if (!this.drops(rate)) return x;
    return dropout(x, { rate, site: this.dropoutSites++, unit: 'row' });
  }

  /** Routing logits of which some experts are hidden from the choice, in training. */
  dropExperts(logits: Tensor, rate: number): Tensor {
    if (!this.drops(rate)) return logits;
    return expertDropout(logits, { rate, site: this.dropoutSites++ });
  }

  /** A layer normalisation with gain and bias, to be applied to any [..., D]. */
  norm(name: string, width: number): (x: Tensor) => Tensor {
    const vector = (role: string, value: number) =>
      this.parameter('normalisation', `${name}.${role}`, [width], { kind: 'constant', value });
    const gain = vector('gain', 1);
    const bias = vector('bias', 0);
    return (x) => layernorm(x, gain, bias);
  }

  /** Sinusoidal codes of the positions from `first` on: [count, width]. All layers share one tensor. */
  positions(count: number, width: number, first: number): Tensor {
    const key = `${count} ${width} ${first}`;
    const codes = this.positionCodes.get(key) ?? sinusoid(this.graph, { count, width, first });
    this.positionCodes.set(key, codes);
    return codes;
  }

  private drops(rate: number): boolean {
    return this.options.training && rate > 0;
  }
}
