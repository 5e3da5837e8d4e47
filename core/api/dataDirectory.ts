/** Where everything is kept: one folder with the database, the datasets, the runs, and what comes and goes. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { SwitchyardError } from '../contract/errors.ts';

export interface DataDirectory {
  readonly home: string;
  readonly database: string;
  readonly datasets: string;
  readonly runs: string;
  readonly logs: string;
  /** Texts on their way in, `<id>/<file name>` each; see uploads.ts. */
  readonly uploads: string;
  /** What people exported without naming another place. */
  readonly exports: string;
  /** A dataset's folder. */
  dataset(id: string): string;
  /** The folder of a run's checkpoints. */
  checkpoints(runId: string): string;
  /** The folder of everything of a run. */
  run(runId: string): string;
}

/** The folder that is used when none is given: `SWITCHYARD_HOME`, else the platform's own place. */
export function defaultHome(): string {
  const chosen = process.env['SWITCHYARD_HOME'];
  return chosen === undefined || chosen === ''
    ? envPaths('switchyard', { suffix: '' }).data
    : chosen;
}

/** Opens a data directory, creating what is missing. */
export function openDataDirectory(folder = defaultHome()): DataDirectory {
  const home = resolve(folder);
  const datasets = join(home, 'datasets');
  const runs = join(home, 'runs');
  const logs = join(home, 'logs');
  const uploads = join(home, 'uploads');
  const exports = join(home, 'exports');
  for (const path of [datasets, runs, logs, uploads, exports]) createFolder(path);
  return {
    home,
    database: join(home, 'switchyard.db'),
    datasets,
    runs,
    logs,
    uploads,
    exports,
    dataset: (id) => join(datasets, id),
    run: (id) => join(runs, id),
    checkpoints: (id) => join(runs, id, 'checkpoints'),
  };
}

function createFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SwitchyardError(
      'invalid-argument',
      `The data folder ${path} cannot be created (${reason}). SWITCHYARD_HOME or --home names another place.`,
      { cause: error },
    );
  }
}
