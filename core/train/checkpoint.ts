/**
 * Checkpoints: one folder a step with `model.safetensors`, `optimizer.safetensors`, for a model with
 * memory `memory.safetensors`, and `checkpoint.json`. A folder appears under its final name only when
 * all of it is on disk, so that a crash at any moment leaves either a whole checkpoint or none.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import { completeConfig } from '../contract/resolveConfig.ts';
import { syncFolder, writeJsonAtomically } from '../data/atomicFile.ts';
import { withFileErrors } from '../data/fileErrors.ts';
import { openSafetensors, writeSafetensors, type SafetensorsFile } from '../data/safetensors.ts';
import type { Executor } from '../graph/executor.ts';
import type { Parameter } from '../model/parameters.ts';
import { firstLossScale, type LossScale } from './lossScale.ts';
import { momentTensors, readTensors, writeTensors, type StateTensor } from './state.ts';

const modelFile = 'model.safetensors';
const optimizerFile = 'optimizer.safetensors';
const memoryFile = 'memory.safetensors';
const headerFile = 'checkpoint.json';
const formatVersion = 1;

/** Progress of a run at a checkpoint. */
export interface Progress {
  step: number;
  /** Training tokens seen. */
  tokens: number;
  /** Seconds of training, summed over resumes. */
  elapsedSeconds: number;
  /** Validation loss at this very step, in nats per token; null when none was measured. */
  validationLoss: number | null;
  bestValidationLoss: number | null;
  bestStep: number | null;
  lossScale: LossScale;
}

/** The tensors of a run that its checkpoints hold. */
export interface CheckpointTensors {
  parameters: readonly Parameter[];
  /** What all micro-batches remember; empty without memory. */
  memory: readonly StateTensor[];
}

/** Contents of `checkpoint.json`. */
export interface CheckpointHeader extends Progress {
  format: typeof formatVersion;
  createdAt: string;
  vocabulary: number;
  config: RunConfig;
  /** Sizes of the tensor files, to recognise truncation. */
  files: Record<string, number>;
}

export interface FoundCheckpoint {
  folder: string;
  header: CheckpointHeader;
}

/** Of the folder that a checkpoint is written to before it gets its name. */
const temporaryName = (folder: string) => `.${folder}.tmp`;
const folderName = (step: number) => `step-${String(step).padStart(9, '0')}`;

/**
 * Writes a checkpoint under `root` and returns its folder name and size in bytes.
 * @throws SwitchyardError('disk-full'); the incomplete folder is removed, older checkpoints stay
 */
export async function writeCheckpoint(
  root: string,
  executor: Executor,
  { parameters, memory }: CheckpointTensors,
  header: Omit<CheckpointHeader, 'format' | 'createdAt' | 'files'>,
): Promise<{ folder: string; bytes: number }> {
  const model = await readTensors(executor, parameters);
  const moments = await readTensors(executor, momentTensors(parameters));
  const remembered = await readTensors(executor, memory);
  const folder = folderName(header.step);
  const target = join(root, folder);
  const temporary = join(root, temporaryName(folder));
  return withFileErrors('write', target, () => {
    mkdirSync(temporary, { recursive: true });
    try {
      const files: Record<string, number> = {
        [modelFile]: writeSafetensors(join(temporary, modelFile), model, { format: 'pt' }),
        [optimizerFile]: writeSafetensors(join(temporary, optimizerFile), moments),
      };
      if (remembered.length > 0)
        files[memoryFile] = writeSafetensors(join(temporary, memoryFile), remembered);
      const createdAt = new Date().toISOString();
      const contents: CheckpointHeader = { format: formatVersion, createdAt, ...header, files };
      writeJsonAtomically(join(temporary, headerFile), contents);
      // Only a damaged checkpoint can be here already: resuming starts after the newest whole one.
      rmSync(target, { recursive: true, force: true });
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
    syncFolder(root);
    return { folder, bytes: folderBytes(target) };
  });
}

/** Removes what a process that was killed had written of a checkpoint. Only for a run's one trainer. */
export function removeUnfinished(root: string): void {
  for (const name of readdirSync(root))
    if (/^\.step-\d+\.tmp$/u.test(name)) rmSync(join(root, name), { recursive: true, force: true });
}

/** Checkpoint folders under `root`, oldest first, unchecked. */
export function checkpointFolders(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => /^step-\d+$/u.test(name))
    .sort();
}

/**
 * Reads and checks one checkpoint's header, and that its tensor files are there in full with headers
 * that can be read. Looks at no tensor.
 * @throws SwitchyardError('checkpoint-damaged') saying what is wrong
 */
export function inspectCheckpoint(root: string, folder: string): FoundCheckpoint {
  const fail = (what: string): never => {
    throw new SwitchyardError(
      'checkpoint-damaged',
      `The checkpoint ${join(root, folder)} cannot be used: ${what}.`,
    );
  };
  const header = readHeader(join(root, folder, headerFile), fail);
  if (folderName(header.step) !== folder)
    return fail(`its ${headerFile} is of step ${header.step}, not of the folder's`);
  const hasMemory = memoryFile in header.files;
  for (const name of [modelFile, optimizerFile, ...(hasMemory ? [memoryFile] : [])]) {
    const file = join(root, folder, name);
    if (!existsSync(file)) return fail(`${name} is missing`);
    const { size } = statSync(file);
    if (size !== header.files[name])
      return fail(`${name} has ${size} bytes where ${header.files[name]} were written`);
    withSafetensors(file, () => undefined);
  }
  return { folder, header };
}

function readHeader(path: string, fail: (what: string) => never): CheckpointHeader {
  if (!existsSync(path)) return fail(`${headerFile} is missing`);
  let header: Partial<CheckpointHeader> | null;
  try {
    header = JSON.parse(readFileSync(path, 'utf8')) as Partial<CheckpointHeader> | null;
  } catch (error) {
    return fail(
      `${headerFile} is not JSON (${error instanceof Error ? error.message : String(error)})`,
    );
  }
  const format: unknown = header?.format;
  if (format !== formatVersion)
    return fail(
      format === undefined
        ? `${headerFile} names no format`
        : `its format is ${JSON.stringify(format)}, this version reads ${formatVersion}`,
    );
  const needed = ['step', 'tokens', 'elapsedSeconds', 'vocabulary', 'config', 'files'] as const;
  const missing = needed.find((name) => header?.[name] == null);
  if (missing !== undefined) return fail(`${headerFile} has no "${missing}"`);
  const whole = header as CheckpointHeader;
  // Earlier versions knew fewer fields of the configuration, and no loss scale.
  const config = completeConfig(whole.config);
  return { ...whole, config, lossScale: whole.lossScale ?? firstLossScale(config.training) };
}

/**
 * The newest checkpoint that is whole, and what is wrong with any newer one.
 * `found` is undefined when there is none at all.
 */
export function newestCheckpoint(root: string): {
  found: FoundCheckpoint | undefined;
  damaged: SwitchyardError[];
} {
  const damaged: SwitchyardError[] = [];
  for (const folder of checkpointFolders(root).reverse()) {
    try {
      return { found: inspectCheckpoint(root, folder), damaged };
    } catch (error) {
      if (!(error instanceof SwitchyardError)) throw error;
      damaged.push(error);
    }
  }
  return { found: undefined, damaged };
}

/**
 * Restores parameters, optimiser moments and memory.
 * @throws SwitchyardError('checkpoint-damaged')
 */
export function loadCheckpoint(
  root: string,
  folder: string,
  executor: Executor,
  { parameters, memory }: CheckpointTensors,
): void {
  loadParameters(root, folder, executor, parameters);
  withSafetensors(join(root, folder, optimizerFile), (file) => {
    writeTensors(executor, momentTensors(parameters), file);
  });
  if (memory.length === 0) return;
  withSafetensors(join(root, folder, memoryFile), (file) => {
    writeTensors(executor, memory, file);
  });
}

/** Restores the parameters alone, for sampling and evaluation. @throws SwitchyardError('checkpoint-damaged') */
export function loadParameters(
  root: string,
  folder: string,
  executor: Executor,
  parameters: readonly Parameter[],
): void {
  withSafetensors(join(root, folder, modelFile), (file) => {
    writeTensors(executor, parameters, file);
  });
}

function withSafetensors(path: string, use: (file: SafetensorsFile) => void): void {
  const file = openSafetensors(path);
  try {
    use(file);
  } finally {
    file.close();
  }
}

/**
 * Deletes all but the newest `keep` checkpoints and the one at `bestStep`.
 * @returns the folders that were deleted
 */
export function pruneCheckpoints(root: string, keep: number, bestStep: number | null): string[] {
  const folders = checkpointFolders(root);
  const best = bestStep === null ? undefined : folderName(bestStep);
  const removed = folders.slice(0, -keep).filter((folder) => folder !== best);
  for (const folder of removed) rmSync(join(root, folder), { recursive: true, force: true });
  return removed;
}

/**
 * Deletes one checkpoint, if it is there; only for a run that no trainer has. It vanishes at once: a
 * crash leaves at most what `removeUnfinished` removes.
 */
export function removeCheckpoint(root: string, folder: string): void {
  const target = join(root, folder);
  if (!existsSync(target)) return;
  const aside = join(root, temporaryName(folder));
  withFileErrors('delete', target, () => {
    rmSync(aside, { recursive: true, force: true });
    renameSync(target, aside);
    rmSync(aside, { recursive: true, force: true });
  });
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
