/** A run's tensors: parameters and AdamW moments, to and from an executor. */
import { SwitchyardError } from '../contract/errors.ts';
import type { NamedTensor, SafetensorsFile } from '../data/safetensors.ts';
import type { Executor } from '../graph/executor.ts';
import { sizeOf } from '../graph/graph.ts';
import { initialValues, type Parameter } from '../model/parameters.ts';
import { momentNames } from '../model/plans.ts';

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

/** Parameters as tensors to write to a file. */
export async function readParameters(
  executor: Executor,
  parameters: readonly Parameter[],
): Promise<NamedTensor[]> {
  return readTensors(
    executor,
    parameters.map(({ name, shape }) => ({ name, shape })),
  );
}

/** AdamW's moments as tensors to write to a file, named `m/<parameter>` and `v/<parameter>`. */
export async function readMoments(
  executor: Executor,
  parameters: readonly Parameter[],
): Promise<NamedTensor[]> {
  return readTensors(executor, parameters.flatMap(momentsOf));
}

/** @throws SwitchyardError('checkpoint-damaged') naming the tensor that is missing or of another shape */
export function writeParameters(
  executor: Executor,
  parameters: readonly Parameter[],
  file: SafetensorsFile,
): void {
  for (const { name, shape } of parameters)
    executor.write(name, shape, loadTensor(file, name, shape));
}

/** @throws SwitchyardError('checkpoint-damaged') naming the tensor that is missing or of another shape */
export function writeMoments(
  executor: Executor,
  parameters: readonly Parameter[],
  file: SafetensorsFile,
): void {
  for (const { name, shape } of parameters.flatMap(momentsOf))
    executor.write(name, shape, loadTensor(file, name, shape));
}

function momentsOf({ name, shape }: Parameter): { name: string; shape: readonly number[] }[] {
  return Object.values(momentNames(name)).map((moment) => ({ name: moment, shape }));
}

async function readTensors(
  executor: Executor,
  tensors: readonly { name: string; shape: readonly number[] }[],
): Promise<NamedTensor[]> {
  const read: NamedTensor[] = [];
  for (const { name, shape } of tensors) {
    const data = Float32Array.from(await executor.read(name));
    read.push({ name, dtype: 'F32', shape: [...shape], data });
  }
  return read;
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
