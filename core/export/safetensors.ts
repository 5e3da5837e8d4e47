/**
 * A checkpoint as a folder that other tools load: weights in the safetensors format with PyTorch's
 * tag, and JSON that says what the tensors mean and where they come from. The folder appears whole
 * or not at all. No conversion: names, shapes and values are those of the checkpoint.
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SwitchyardError } from '../contract/errors.ts';
import { syncFolder, writeJsonAtomically, writeTextAtomically } from '../data/atomicFile.ts';
import { withFileErrors } from '../data/fileErrors.ts';
import { openSafetensors, writeSafetensors, type NamedTensor } from '../data/safetensors.ts';
import { modelParameters } from '../model/plans.ts';
import { inspectCheckpoint } from '../train/checkpoint.ts';

/** Where the weights come from; written to `provenance.json` with the checkpoint's own facts. */
export interface Provenance {
  run: { id: string; name: string };
  dataset: { id: string; name: string; sourceSha256: string; tokenizer: string };
  backend: string;
  /** Device on which the run was trained. */
  device: string | null;
  versions: Record<string, string>;
}

export interface ExportOptions {
  /** Folder of the run's checkpoints, and the name of the one to export. */
  checkpoints: string;
  folder: string;
  tokenizerFile: string;
  /** Absolute path of the new folder. */
  out: string;
  provenance: Provenance;
}

export interface ExportResult {
  files: string[];
  step: number;
}

/**
 * Writes `model.safetensors`, `config.json`, `tokenizer.json` and `provenance.json` to a new folder.
 * @throws SwitchyardError `conflict` when something is there already, `checkpoint-damaged`, `disk-full`
 */
export function exportSafetensors(options: ExportOptions): ExportResult {
  const { checkpoints, folder, out, tokenizerFile, provenance } = options;
  requireFree(out);
  const { header } = inspectCheckpoint(checkpoints, folder);
  const { config, vocabulary } = header;
  const parameters = modelParameters(config.model, vocabulary);
  const tensors = readTensors(
    join(checkpoints, folder, 'model.safetensors'),
    parameters.map(({ name }) => name),
  );
  const { training } = config;
  const { step, tokens, validationLoss, createdAt } = header;
  return writeFolder(out, (temporary) => {
    writeSafetensors(join(temporary, 'model.safetensors'), tensors, { format: 'pt' });
    writeJsonAtomically(join(temporary, 'config.json'), {
      architecture: 'switchyard',
      model: config.model,
      vocabulary,
      tokenizer: provenance.dataset.tokenizer,
      tensors: tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
    });
    writeTextAtomically(join(temporary, 'tokenizer.json'), readFileSync(tokenizerFile, 'utf8'));
    writeJsonAtomically(join(temporary, 'provenance.json'), {
      ...provenance,
      step,
      tokens,
      seed: training.seed,
      validationLoss,
      training,
      checkpointWritten: createdAt,
      exported: new Date().toISOString(),
    });
    return {
      files: ['model.safetensors', 'config.json', 'tokenizer.json', 'provenance.json'],
      step,
    };
  });
}

/** Nothing may be at `out` but an empty folder. */
function requireFree(out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory())
    throw new SwitchyardError('conflict', `${out} is a file; choose a new folder for the export.`);
  if (readdirSync(out).length > 0)
    throw new SwitchyardError(
      'conflict',
      `The folder ${out} is not empty, and an export never overwrites. Choose a new folder.`,
    );
}

function readTensors(path: string, names: readonly string[]): NamedTensor[] {
  const file = openSafetensors(path);
  try {
    return names.map((name) => ({
      name,
      dtype: 'F32',
      data: file.readFloat32(name),
      shape: file.tensors.get(name)?.shape ?? [],
    }));
  } finally {
    file.close();
  }
}

/** Fills a folder beside `out` and renames it: a crash leaves at most a folder that starts with a dot. */
function writeFolder<R>(out: string, fill: (folder: string) => R): R {
  const parent = dirname(out);
  if (!existsSync(parent))
    throw new SwitchyardError(
      'not-found',
      `There is no folder ${parent} to put the export in. Create it first, or choose another place.`,
    );
  const temporary = join(parent, `.${basename(out)}-${randomUUID().slice(0, 8)}.tmp`);
  return withFileErrors('export to', out, () => {
    mkdirSync(temporary);
    try {
      const result = fill(temporary);
      syncFolder(temporary);
      // Windows does not rename over a folder, empty or not.
      if (existsSync(out)) rmdirSync(out);
      renameSync(temporary, out);
      syncFolder(parent);
      return result;
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
  });
}
