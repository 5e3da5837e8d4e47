/** A run's tensors: parameters, AdamW moments and memory, to and from an executor. */
import type { ModelConfig, TrainingConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { NamedTensor, SafetensorsFile } from '../data/safetensors.ts';
import type { Executor } from '../graph/executor.ts';
import { sizeOf } from '../graph/graph.ts';
import { memoryVariables } from '../model/memory.ts';
import { initialValues, type Parameter } from '../model/parameters.ts';
import { momentNames } from '../model/plans.ts';

/** A variable of an executor, as a tensor of a file. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Gives every parameter its starting values. */
export function initialise(
  executor: Executor,
  parameters: readonly Parameter[],
  seed: number,
): void {
  for (const [index, parameter] of parameters.entries()) {
    executor.write(parameter.name, parameter.shape, initialValues(parameter, index, seed));
  }
}

/** AdamW's moments, named `m/<parameter>` and `v/<parameter>`. */
export function momentTensors(parameters: readonly Parameter[]): StateTensor[] {
  return parameters.flatMap(({ name, shape }) =>
    Object.values(momentNames(name)).map((moment) => ({ name: moment, shape })),
  );
}

/**
 * What a micro-batch remembers between its turns, [B, M, D] for every layer; none without memory.
 * Plans read and write the first one's; the others are swapped in for their turn.
 */
export function memoryTensors(
  model: ModelConfig,
  { batch }: Pick<TrainingConfig, 'batch'>,
  microBatch: number,
): StateTensor[] {
  return memoryVariables(model, batch, 'training').map(({ name, shape }) => ({
    name: microBatch === 0 ? name : `${name}/microBatch.${microBatch}`,
    shape,
  }));
}

/** What all micro-batches remember. */
export function allMemoryTensors(model: ModelConfig, training: TrainingConfig): StateTensor[] {
  return Array.from({ length: training.accumulate }, (_, microBatch) =>
    memoryTensors(model, training, microBatch),
  ).flat();
}

/** Variables as tensors to write to a file. */
export async function readTensors(
  executor: Executor,
  tensors: readonly StateTensor[],
): Promise<NamedTensor[]> {
  const read: NamedTensor[] = [];
  for (const { name, shape } of tensors) {
    const data = Float32Array.from(await executor.read(name));
    read.push({ name, dtype: 'F32', shape: [...shape], data });
  }
  return read;
}

/** @throws SwitchyardError('checkpoint-damaged') naming the tensor that is missing or of another shape */
export function writeTensors(
  executor: Executor,
  tensors: readonly StateTensor[],
  file: SafetensorsFile,
): void {
  for (const { name, shape } of tensors) executor.write(name, shape, loadTensor(file, name, shape));
}

function loadTensor(file: SafetensorsFile, name: string, shape: readonly number[]): Float32Array {
  const values = file.readFloat32(name);
  const found = file.tensors.get(name)?.shape ?? [];
  if (values.length !== sizeOf(shape) || found.join() !== shape.join())
    throw new SwitchyardError(
      'checkpoint-damaged',
      `${file.path} is not a usable checkpoint of this configuration: tensor "${name}" has shape [${found.join(', ')}] where [${shape.join(', ')}] is needed.`,
    );
  return values;
}
