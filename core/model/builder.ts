import type { Graph, Tensor } from '../graph/graph.ts';
import type { AttentionAttributes } from '../graph/ops/attention.ts';
import { dropout } from '../graph/ops/dropout.ts';
import { layernorm } from '../graph/ops/layernorm.ts';
import type { Init, Parameter, Part } from './parameters.ts';

/** What differs between building a model for training, for evaluation and on one executor or another. */
export interface BuildOptions {
  /** Dropout rate; 0 outside training. */
  readonly dropout: number;
  readonly attentionSave: AttentionAttributes['save'];
}

/** Collects a model's parameters while its graph is built. */
export class ModelBuilder {
  readonly graph: Graph;
  readonly options: BuildOptions;
  readonly parameters: Parameter[] = [];
  readonly tensors: Tensor[] = [];
  private dropoutSites = 0;

  constructor(graph: Graph, options: BuildOptions) {
    this.graph = graph;
    this.options = options;
  }

  parameter(part: Part, name: string, shape: readonly number[], init: Init): Tensor {
    const tensor = this.graph.variable(name, shape);
    this.parameters.push({ name, shape, init, part });
    this.tensors.push(tensor);
    return tensor;
  }

  /** Dropout with masks of its own; nothing at rate 0. */
  dropout(x: Tensor): Tensor {
    const site = this.dropoutSites++;
    return this.options.dropout === 0 ? x : dropout(x, { rate: this.options.dropout, site });
  }

  /** Layer normalisation with gain and bias: [..., D] → [..., D]. */
  norm(name: string, x: Tensor): Tensor {
    const shape = [x.shape[x.shape.length - 1]];
    const gain = this.parameter('normalisation', `${name}.gain`, shape, {
      kind: 'constant',
      value: 1,
    });
    const bias = this.parameter('normalisation', `${name}.bias`, shape, {
      kind: 'constant',
      value: 0,
    });
    return layernorm(x, gain, bias);
  }
}
