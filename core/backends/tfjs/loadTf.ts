/**
 * Loads TensorFlow.js with one backend. `wasm` and `cpu` come from this project's own packages;
 * `tensorflow` is a whole tfjs-node of its own, wherever one is found, and its namespace is the only
 * one used with it. All of them share one global engine, so an executor names its backend before
 * every run.
 */
import type * as tfjsWasm from '@tensorflow/tfjs-backend-wasm';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import util from 'node:util';
import { SwitchyardError } from '../../contract/errors.ts';
import { tensorflowCacheFolder, type TensorflowReady } from './tensorflowCache.ts';
import type { Tf, TfjsBackend } from './kernel.ts';

export interface LoadedTf {
  readonly tf: Tf;
  readonly backend: TfjsBackend;
  /** For people: processor or card, library version. */
  readonly device: string;
  readonly gpu: boolean;
}

const require = createRequire(import.meta.url);
const loaded = new Map<TfjsBackend, Promise<LoadedTf>>();

/**
 * Loads a backend; once per thread, later calls get the same one. Says nothing on the console.
 * @throws SwitchyardError('device-unavailable') with the reason and the remedy
 */
export function loadTf(backend: TfjsBackend): Promise<LoadedTf> {
  let result = loaded.get(backend);
  if (result === undefined) {
    result = backend === 'tensorflow' ? loadTensorflow() : loadPackaged(backend);
    loaded.set(backend, result);
    // A failure is not remembered: the missing package may be installed while we run.
    result.catch(() => loaded.delete(backend));
  }
  return result;
}

/** Processor and number of its cores, for device texts. */
export function processorText(): string {
  const all = cpus();
  const model = all[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown processor';
  return `${model}, ${all.length} ${all.length === 1 ? 'core' : 'cores'}`;
}

async function loadPackaged(backend: 'wasm' | 'cpu'): Promise<LoadedTf> {
  try {
    const tf = quietly(() => {
      const core = require('@tensorflow/tfjs-core') as Tf;
      require(`@tensorflow/tfjs-backend-${backend}`);
      return core;
    });
    if (backend === 'wasm') {
      const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
      (require('@tensorflow/tfjs-backend-wasm') as typeof tfjsWasm).setWasmPaths(`${folder}/`);
    }
    if (!(await tf.setBackend(backend))) throw new Error('it did not start');
    // With its first tensor the library would advertise tfjs-node.
    quietly(() => tf.scalar(0).dispose());
    const what = backend === 'wasm' ? 'WebAssembly on one thread' : 'plain JavaScript';
    const version = tf.version_core;
    return {
      tf,
      backend,
      gpu: false,
      device: `${what}, ${processorText()}; TensorFlow.js ${version}`,
    };
  } catch (error) {
    throw new SwitchyardError(
      'device-unavailable',
      `The ${backend} backend of TensorFlow.js did not load (${messageOf(error)}); run \`npm ci\` to install it again.`,
      { cause: error },
    );
  }
}

/** tfjs-node's namespace: TensorFlow.js and which TensorFlow is below it. */
type TfjsNode = Tf & { readonly version: Readonly<Record<string, string>> };

async function loadTensorflow(): Promise<LoadedTf> {
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  // 2 hides information and warnings. TensorFlow reads it when its library is loaded; in a worker
  // thread the assignment does not reach it, so a host that starts workers sets it beforehand.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const failures: string[] = [];
  for (const folder of tensorflowFolders()) {
    try {
      keepLibraryLoaded(folder);
      const tf = quietly(() => createRequire(join(folder, 'package.json'))(folder) as TfjsNode);
      if (!(await tf.setBackend('tensorflow'))) throw new Error('it did not start');
      const gpu = usesGpu(tf);
      const library = `TensorFlow${tensorflowVersion(folder)} by tfjs-node ${tf.version['tfjs-node'] ?? tf.version_core}`;
      const where = gpu ? (gpuName() ?? 'NVIDIA GPU') : `CPU: ${processorText()}`;
      return { tf, backend: 'tensorflow', gpu, device: `${where}; ${library}` };
    } catch (error) {
      failures.push(`${folder}: ${messageOf(error)}`);
    }
  }
  const remedy =
    'run `npm run tensorflow` to build it for this machine, or set SWITCHYARD_TFJS_NODE to the folder of an installed @tensorflow/tfjs-node.';
  const reason =
    failures.length === 0
      ? 'The tensorflow backend is not installed'
      : `The tensorflow backend was found but did not load (${failures.join('; ')})`;
  throw new SwitchyardError('device-unavailable', `${reason}; ${remedy}`);
}

/**
 * Pins TensorFlow's library in the process. Node unloads an addon with the worker thread that loaded
 * it; loading TensorFlow a second time after that corrupts its static registries, and the process
 * dies of a double free at its exit.
 */
function keepLibraryLoaded(folder: string): void {
  const noDelete = { linux: 0x1000, darwin: 0x80 }[process.platform as string];
  if (noDelete === undefined) return; // Windows has no such flag.
  const libraries = join(folder, 'deps', 'lib');
  if (!existsSync(libraries)) return;
  const library = readdirSync(libraries).find((name) =>
    /^libtensorflow(_cc)?\.(so\.2|2\.dylib)$/u.test(name),
  );
  if (library === undefined) return;
  try {
    process.dlopen(
      { exports: {} },
      join(libraries, library),
      constants.dlopen.RTLD_LAZY | noDelete,
    );
  } catch {
    // It is not an addon, which is what Node complains about once it is loaded.
  }
}

/** Where tfjs-node may be, in the order in which it is tried. Naming one rules the others out. */
function tensorflowFolders(): string[] {
  const chosen = process.env['SWITCHYARD_TFJS_NODE'];
  if (chosen) return [chosen];
  const folders: string[] = [];
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      folders.push(dirname(require.resolve(`${name}/package.json`)));
    } catch {
      // Optional: its absence is the ordinary case.
    }
  }
  const ready = readReady();
  if (ready !== undefined) folders.push(ready.tfjsNode);
  return folders;
}

function readReady(): TensorflowReady | undefined {
  try {
    const text = readFileSync(join(tensorflowCacheFolder(), 'ready.json'), 'utf8');
    return JSON.parse(text) as TensorflowReady;
  } catch {
    return undefined; // Not built.
  }
}

/** Version of the native library, known only for the one that this project built. */
function tensorflowVersion(folder: string): string {
  const ready = readReady();
  return ready?.tfjsNode === folder ? ` ${ready.versions.tensorflow}` : '';
}

/**
 * Runs without TensorFlow.js's warnings on the console: advertising, and complaints that two backends
 * in one process register the same things. Errors are thrown and still come through.
 */
function quietly<T>(action: () => T): T {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return action();
  } finally {
    console.warn = warn;
  }
}

function usesGpu(tf: Tf): boolean {
  const backend: unknown = tf.backend();
  return (backend as { readonly isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
}

function gpuName(): string | undefined {
  try {
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return names.split('\n')[0]?.trim() || undefined;
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';
}
