/**
 * Makes the `tensorflow` backend available for development without touching node_modules.
 *
 * tfjs-node's own install script downloads a prebuilt binding from a host that many networks do not
 * reach, and its libtensorflow is years old. This script takes the libraries from pip's
 * tensorflow_cpu wheel instead, compiles the binding against them, and leaves both in a cache
 * folder (see core/backends/tfjs/tensorflowCache.ts), where the executor finds them by `ready.json`.
 *
 * With `--optional`, a machine that lacks a compiler, pip or the wheel is not a failure (exit 0).
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { tensorflowCacheFolder } from '../core/backends/tfjs/tensorflowCache.ts';
import type { TensorflowReady } from '../core/backends/tfjs/tensorflowCache.ts';
import { withLock } from './lock.mjs';

const TFJS_NODE = '4.22.0';
const TENSORFLOW = '2.21.0';
/** Any wheel of the release holds the same libraries; naming one makes pip's answer independent of the local Python. */
const WHEEL_PYTHON = '3.11';
const WHEEL_PLATFORM = { x64: 'manylinux_2_27_x86_64', arm64: 'manylinux_2_27_aarch64' };

/** The wheel has 13,000 headers, of which the binding reads fourteen, in these folders. */
const UNPACK = `
import sys, zipfile
include = 'tensorflow/include/'
folders = tuple(include + f for f in ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'))
libraries = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2')
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [n for n in wheel.namelist() if n in libraries or n.startswith(folders) and n.endswith('.h')])
`;

/** A reason, as a sentence, why this machine cannot have the backend. */
class Unavailable extends Error {}

const cache = tensorflowCacheFolder();
const readyFile = join(cache, 'ready.json');

try {
  process.stdout.write(`${await makeAvailable()}\n`);
} catch (error) {
  // Besides the foreseen reasons, what the file system says (a full disk, a folder without permission).
  const foreseen = error instanceof Unavailable || (error instanceof Error && 'code' in error);
  if (!foreseen) throw error;
  process.stdout.write(`The tensorflow backend is not available: ${error.message}\n`);
  process.exitCode = process.argv.includes('--optional') ? 0 : 1;
}

async function makeAvailable(): Promise<string> {
  const found = await readReady();
  if (found) return `The tensorflow backend is ready: ${found.tfjsNode}`;
  await mkdir(cache, { recursive: true });
  return withLock(
    join(cache, 'lock'),
    async () => {
      const found = await readReady();
      const { tfjsNode } = found ?? (await build());
      return `The tensorflow backend is ready: ${tfjsNode}`;
    },
    () => process.stdout.write('Another process is building the tensorflow backend; waiting ...\n'),
  );
}

/** The stamp of an earlier build, if it is of the wanted versions and the package is still there. */
async function readReady(): Promise<TensorflowReady | undefined> {
  try {
    const ready = JSON.parse(await readFile(readyFile, 'utf8')) as TensorflowReady;
    const current =
      ready.versions.tfjsNode === TFJS_NODE &&
      ready.versions.tensorflow === TENSORFLOW &&
      existsSync(join(ready.tfjsNode, 'lib', 'napi-v8', 'tfjs_binding.node'));
    return current ? ready : undefined;
  } catch {
    return undefined;
  }
}

/** Builds in a folder of its own and moves it into place, so that an interrupted build leaves nothing half-made. */
async function build(): Promise<TensorflowReady> {
  const headers = checkMachine();
  const building = join(cache, 'building');
  const finished = join(cache, `${TFJS_NODE}-${TENSORFLOW}`);
  await rm(readyFile, { force: true });
  await rm(building, { recursive: true, force: true });
  await rm(finished, { recursive: true, force: true });
  await mkdir(building);
  try {
    const tfjsNode = await installTfjsNode(building);
    await unpackWheel(building, tfjsNode);
    await compileBinding(building, tfjsNode, headers);
    await rm(join(building, 'wheel'), { recursive: true });
    await run('a trial run', process.execPath, [
      join(import.meta.dirname, 'tensorflowProbe.ts'),
      tfjsNode,
    ]);
    await rename(building, finished);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  const ready: TensorflowReady = {
    tfjsNode: join(finished, 'node_modules', '@tensorflow', 'tfjs-node'),
    versions: { tfjsNode: TFJS_NODE, tensorflow: TENSORFLOW },
  };
  await writeFile(`${readyFile}.new`, `${JSON.stringify(ready, undefined, 2)}\n`);
  await rename(`${readyFile}.new`, readyFile);
  return ready;
}

/** Says what is missing before anything large is downloaded; returns the folder of Node's own headers. */
function checkMachine(): string {
  if (process.platform !== 'linux') {
    throw new Unavailable(
      'this script builds it on Linux only; elsewhere, set SWITCHYARD_TFJS_NODE to the folder of an installed @tensorflow/tfjs-node.',
    );
  }
  if (spawnSync('g++', ['--version']).status !== 0) {
    throw new Unavailable('there is no C++ compiler; install g++.');
  }
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) {
    throw new Unavailable('there is no pip for python3; install python3-pip.');
  }
  return nodeHeaders();
}

/** The package `node` brings the headers of the Node it holds, in a platform package that npm may nest. */
function nodeHeaders(): string {
  const name = `node-linux-${process.arch}`;
  const require = createRequire(import.meta.url);
  const packages = dirname(require.resolve('node/package.json'));
  for (const parent of [join(packages, 'node_modules'), dirname(packages)]) {
    const headers = join(parent, name, 'include', 'node');
    if (existsSync(join(headers, 'node_api.h'))) return headers;
  }
  throw new Unavailable(`the package ${name} in node_modules brings no Node headers.`);
}

async function installTfjsNode(building: string): Promise<string> {
  const manifest = { name: 'switchyard-tensorflow', private: true };
  await writeFile(join(building, 'package.json'), JSON.stringify(manifest));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['install', '--ignore-scripts', '--save-exact', ...quiet];
  await run(
    'npm install of tfjs-node',
    'npm',
    [...args, `@tensorflow/tfjs-node@${TFJS_NODE}`],
    building,
  );
  return join(building, 'node_modules', '@tensorflow', 'tfjs-node');
}

/** Downloads the wheel and keeps its two libraries (in the package's deps/lib) and the C headers (in wheel/). */
async function unpackWheel(building: string, tfjsNode: string): Promise<void> {
  const folder = join(building, 'wheel');
  const platform = WHEEL_PLATFORM[process.arch as keyof typeof WHEEL_PLATFORM];
  await run('pip download of tensorflow_cpu', 'python3', [
    ...['-m', 'pip', 'download', '--quiet', '--retries', '0', '--no-cache-dir', '--no-deps'],
    ...['--only-binary', ':all:', '--platform', platform, '--python-version', WHEEL_PYTHON],
    ...['--dest', folder, `tensorflow_cpu==${TENSORFLOW}`],
  ]);
  const [wheel] = await readdir(folder);
  if (!wheel) throw new Unavailable('pip downloaded nothing.');
  await run('unpacking the wheel', 'python3', ['-c', UNPACK, join(folder, wheel), folder]);
  await rm(join(folder, wheel));
  const libraries = join(tfjsNode, 'deps', 'lib');
  await mkdir(libraries, { recursive: true });
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
    await rename(join(folder, 'tensorflow', name), join(libraries, name));
  }
}

async function compileBinding(building: string, tfjsNode: string, headers: string): Promise<void> {
  const library = join(tfjsNode, 'deps', 'lib');
  const output = join(building, 'tfjs_binding.node');
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) =>
    join(tfjsNode, 'binding', name),
  );
  await run('compiling the binding', 'g++', [
    ...['-shared', '-fPIC', '-O2', '-std=c++17', '-w'],
    ...['-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DNAPI_VERSION=8'],
    ...['-I', headers, '-I', join(building, 'wheel', 'tensorflow', 'include')],
    ...[...sources, '-o', output],
    ...[`-L${library}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]);
  const place = join(tfjsNode, 'lib', 'napi-v8');
  await mkdir(place, { recursive: true });
  await copyFile(output, join(place, 'tfjs_binding.node'));
  await rm(output);
}

/** Runs a command quietly; if it fails, its last words become the reason. */
async function run(
  step: string,
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<void> {
  process.stdout.write(`  ${step} ...\n`);
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (output += text));
  }
  const failure = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => {
      resolve(error.message);
    });
    child.on('close', (code, signal) => {
      resolve(code === 0 ? undefined : (signal ?? `exit code ${String(code)}`));
    });
  });
  if (failure === undefined) return;
  const lastLines = output.trim().split('\n').slice(-3).join(' / ');
  throw new Unavailable(`${step} failed with ${failure}: ${lastLines || 'no message'}`);
}
