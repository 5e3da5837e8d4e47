/**
 * From a graph to something an executor can run: dead nodes removed, every tensor's life known, and
 * temporaries packed into few shared buffers. Memory is known before the first step.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { bytesOf, type Graph, type Node, type Tensor, type UniformName } from './graph.ts';
import { requireSame } from './shapes.ts';

/** Where a tensor lives while the plan runs. */
export type Storage =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'uniform'; readonly name: UniformName }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'buffer'; readonly buffer: number };

export interface Step {
  readonly node: Node;
  /** Temporaries that nothing reads after this step. */
  readonly release: readonly Tensor[];
  /** Buffer that holds the executor's scratch for this step, if it asked for any. */
  readonly scratch: number | undefined;
}

/** A variable's new value at the end of the plan. */
export interface Update {
  readonly variable: string;
  readonly tensor: Tensor;
  /** False when the producing node may write straight into the variable; true needs a copy at the end. */
  readonly copy: boolean;
}

export interface PlanMemory {
  /** Bytes of the variables this plan touches. */
  readonly variables: number;
  /** Bytes of the shared buffers: all temporaries, outputs and scratch. */
  readonly buffers: number;
  /** Largest number of temporary bytes alive at once: no packing can need less. */
  readonly lowerBound: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly uniforms: ReadonlyMap<UniformName, Tensor>;
  readonly variables: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly updates: readonly Update[];
  /** By tensor id, for every tensor that the steps touch. */
  readonly storage: ReadonlyMap<number, Storage>;
  /** Size of every shared buffer in bytes. */
  readonly buffers: readonly number[];
  readonly memory: PlanMemory;
}

export interface PlanOptions {
  /** Tensors to hand back after a run, by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** New values of variables, applied after everything has been read. */
  readonly updates?: readonly (readonly [variable: string, value: Tensor])[];
  /** What tensors and scratch take on the executor; four bytes a value and none unless given. */
  readonly costs?: Costs;
}

/** Bytes that an executor needs. */
export interface Costs {
  /** Of a tensor, once its graph is complete. */
  bytes(tensor: Tensor): number;
  /** Of scratch, for running a node. */
  scratch(node: Node): number;
}

interface Life {
  readonly tensor: Tensor | undefined;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** Orders a graph and assigns memory. Nodes keep the order in which they were emitted. */
export function plan(graph: Graph, options: PlanOptions): Plan {
  const outputs = new Map(Object.entries(options.outputs));
  const updates = options.updates ?? [];
  const costs = options.costs ?? { bytes: bytesOf, scratch: () => 0 };
  const results = [...outputs.values(), ...updates.map(([, tensor]) => tensor)];
  const nodes = liveNodes(graph, results);
  const end = nodes.length;

  // Lives of node outputs, and the last step that reads each tensor.
  const lastRead = new Map<number, number>();
  for (const [index, node] of nodes.entries())
    for (const input of node.inputs) lastRead.set(input.id, index);
  const lives = new Map<number, Life>();
  for (const [index, node] of nodes.entries())
    for (const tensor of node.outputs)
      lives.set(tensor.id, {
        tensor,
        bytes: costs.bytes(tensor),
        first: index,
        last: lastRead.get(tensor.id) ?? index,
      });
  for (const tensor of results) {
    const life = lives.get(tensor.id);
    if (life !== undefined) life.last = end;
  }

  const storage = new Map<number, Storage>();
  for (const tensor of [...nodes.flatMap((node) => node.inputs), ...results])
    if (tensor.source.kind !== 'node') storage.set(tensor.id, tensor.source);

  const plannedUpdates = updates.map(([name, tensor]): Update => {
    const variable = graph.variables.get(name);
    if (variable === undefined)
      throw new SwitchyardError('internal', `No variable "${name}" to update.`);
    requireSame(variable, tensor, `update of "${name}"`);
    const handedOut = results.includes(variable) || [...outputs.values()].includes(tensor);
    // A value that is stored in fewer bytes than the variable's must be converted.
    const fits = costs.bytes(tensor) === costs.bytes(variable);
    const copy = handedOut || !fits || !mayOverwrite(tensor, variable, nodes, lastRead);
    if (!copy) storage.set(tensor.id, { kind: 'variable', name });
    return { variable: name, tensor, copy };
  });

  // Pack what is left, the executor's scratch included, into shared buffers.
  const scratch: (Life | undefined)[] = nodes.map((node, index) => {
    const bytes = costs.scratch(node);
    return bytes > 0 ? { tensor: undefined, bytes, first: index, last: index } : undefined;
  });
  const temporaries = [...lives.values()].filter(
    ({ tensor }) => tensor !== undefined && !storage.has(tensor.id),
  );
  const packed = pack([...temporaries, ...scratch.filter((life) => life !== undefined)]);
  for (const life of temporaries)
    if (life.tensor !== undefined)
      storage.set(life.tensor.id, { kind: 'buffer', buffer: packed.assignment.get(life) ?? 0 });

  const steps = nodes.map((node, index): Step => {
    const life = scratch[index];
    return {
      node,
      release: temporaries
        .filter(({ last }) => last === index)
        .flatMap(({ tensor }) => tensor ?? []),
      scratch: life === undefined ? undefined : packed.assignment.get(life),
    };
  });

  const touched = new Set(
    [...storage.values()].flatMap((place) => (place.kind === 'variable' ? [place.name] : [])),
  );
  for (const [name] of updates) touched.add(name);
  const variables = new Map([...graph.variables].filter(([name]) => touched.has(name)));
  return {
    steps,
    inputs: new Map([...graph.inputs].filter(([, tensor]) => storage.has(tensor.id))),
    uniforms: new Map([...graph.uniforms].filter(([, tensor]) => storage.has(tensor.id))),
    variables,
    outputs,
    updates: plannedUpdates,
    storage,
    buffers: packed.buffers,
    memory: {
      variables: [...variables.values()].reduce((sum, tensor) => sum + costs.bytes(tensor), 0),
      buffers: packed.buffers.reduce((sum, bytes) => sum + bytes, 0),
      lowerBound: peak([...temporaries, ...scratch.filter((life) => life !== undefined)], end),
    },
  };
}

/** The nodes that the results depend on, in order. */
function liveNodes(graph: Graph, results: readonly Tensor[]): Node[] {
  const needed = new Set(results.map(({ id }) => id));
  const live: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => needed.has(id))) continue;
    live.push(node);
    for (const input of node.inputs) needed.add(input.id);
  }
  return live.toReversed();
}

/** Whether a variable's new value can be written where the old one is: nothing reads the old one later. */
function mayOverwrite(
  tensor: Tensor,
  variable: Tensor,
  nodes: readonly Node[],
  lastRead: ReadonlyMap<number, number>,
): boolean {
  const { source } = tensor;
  if (source.kind !== 'node') return false;
  const producer = nodes.indexOf(source.node);
  const read = lastRead.get(variable.id) ?? -1;
  if (producer !== read) return producer > read;
  const { op, attributes, inputs } = source.node;
  const overwritten = op.inPlace?.(source.output, attributes, inputs.length);
  const reads = inputs.filter((input) => input === variable).length;
  return overwritten !== undefined && inputs[overwritten] === variable && reads === 1;
}

/**
 * Greedy by size for shared objects (Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural
 * Net Inference"): the largest first, each into the smallest buffer whose tenants' lives do not
 * overlap its own. Whole buffers, not offsets: WebGPU cannot bind one buffer for reading and for
 * writing in one dispatch.
 */
function pack(lives: readonly Life[]): { buffers: number[]; assignment: Map<Life, number> } {
  const buffers: { bytes: number; tenants: Life[] }[] = [];
  const assignment = new Map<Life, number>();
  for (const life of lives.toSorted((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    let chosen = -1;
    for (const [index, { bytes, tenants }] of buffers.entries()) {
      const free = tenants.every(({ first, last }) => last < life.first || first > life.last);
      if (free && (chosen < 0 || bytes < buffers[chosen].bytes)) chosen = index;
    }
    if (chosen < 0) chosen = buffers.push({ bytes: life.bytes, tenants: [] }) - 1;
    buffers[chosen].tenants.push(life);
    assignment.set(life, chosen);
  }
  return { buffers: buffers.map(({ bytes }) => bytes), assignment };
}

/** Largest total of bytes alive at one step. */
function peak(lives: readonly Life[], end: number): number {
  const change = new Float64Array(end + 2);
  for (const { bytes, first, last } of lives) {
    change[first] += bytes;
    change[last + 1] -= bytes;
  }
  let alive = 0;
  let most = 0;
  for (const difference of change) {
    alive += difference;
    most = Math.max(most, alive);
  }
  return most;
}
