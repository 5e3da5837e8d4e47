/** What the store's tests share: temporary folders, plausible records, child processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SwitchyardError, type ErrorCode } from '../../contract/errors.ts';
import type { StepMetric, ValidationMetric } from '../../contract/records.ts';
import { resolveConfig } from '../../contract/resolveConfig.ts';
import { openStore, type Store, type StoreOptions } from '../database.ts';
import type { NewDataset } from '../datasets.ts';
import type { NewRun } from '../runs.ts';

/** A folder that is deleted when the test ends. */
export function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-store-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store on a fresh file, closed when the test ends. */
export function temporaryStore(
  test: TestContext,
  options?: StoreOptions,
): Store & { file: string } {
  const file = join(temporaryFolder(test), 'switchyard.db');
  const store = openStore(file, options);
  test.after(() => store.close());
  return { ...store, file };
}

const released = fileURLToPath(new URL('../../../migrations/', import.meta.url));
/** Number of the newest released migration. */
export const newest = readdirSync(released).length;

/** A folder with the released migrations, followed by `sql`. */
export function withNextMigration(test: TestContext, sql: string): string {
  const folder = temporaryFolder(test);
  cpSync(released, folder, { recursive: true });
  writeFileSync(join(folder, `${String(newest + 1).padStart(4, '0')}_next.sql`), sql);
  return folder;
}

export function newDataset(changes: Partial<NewDataset> = {}): NewDataset {
  return {
    name: 'shakespeare',
    source: '/texts/shakespeare.txt',
    sourceBytes: 1_115_394,
    sourceSha256: 'a'.repeat(64),
    tokenizer: 'byte',
    vocabulary: 256,
    validationShare: 0.1,
    trainTokens: 1_003_854,
    validationTokens: 111_540,
    ...changes,
  };
}

export function newRun(datasetId: string, changes: Partial<NewRun> = {}): NewRun {
  return {
    name: 'first',
    config: resolveConfig({ training: { steps: 2000 } }),
    datasetId,
    backend: 'reference',
    parameters: 1_234_567,
    macs: 170_400_000,
    attentionMacs: 2 ** 60, // beyond the integers that a double holds singly
    attentionFloats: 1_500_000.5,
    ...changes,
  };
}

/** A queued run on a dataset of its own. */
export function addRun(store: Store, changes: Partial<NewRun> = {}): string {
  const dataset = store.datasets.list()[0] ?? store.datasets.add(newDataset());
  return store.runs.create(newRun(dataset.id, changes)).id;
}

export function stepMetric(step: number, changes: Partial<StepMetric> = {}): StepMetric {
  return {
    step,
    loss: 5 / (step + 1),
    gradientNorm: 0.25,
    learningRate: 0.001,
    milliseconds: 10 + step,
    tokens: step * 4096,
    tensorBytes: 1_000_000 + step,
    rssBytes: 5_000_000_000 + step, // beyond 32 bits
    elapsedSeconds: step * 0.01,
    ...changes,
  };
}

export function validationMetric(step: number, loss: number): ValidationMetric {
  return { step, loss, accuracy: null, tokens: 111_540, milliseconds: 80 };
}

/** For `assert.throws`: an error of that code whose message matches. */
export function failsWith(code: ErrorCode, message: RegExp): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof SwitchyardError) || error.code !== code || !message.test(error.message))
      throw new Error(`expected ${code} ${String(message)}, got ${String(error)}`, {
        cause: error,
      });
    return true;
  };
}

export interface Child {
  process: ChildProcess;
  /** Lines printed so far. */
  lines: string[];
  /** Resolves when that many lines were printed; rejects if the child ends first. */
  printed: (count: number) => Promise<void>;
  /** SIGKILL, and resolves once the process is gone. */
  kill: () => Promise<void>;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

/** Runs one of child.ts's tasks in a process of its own, which is killed when the test ends. */
export function startChild(test: TestContext, ...args: string[]): Child {
  const script = fileURLToPath(new URL('child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  test.after(() => child.kill('SIGKILL'));
  return {
    process: child,
    lines,
    printed: (count) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (lines.length >= count) resolve();
        };
        reader.on('line', check);
        child.once('close', () => reject(new Error(`the child ended after ${lines.length} lines`)));
        check();
      }),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    ended,
  };
}
