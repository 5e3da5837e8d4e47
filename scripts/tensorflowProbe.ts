/**
 * Loads an `@tensorflow/tfjs-node` package (its path is the only argument) in this thread and in
 * two workers at once, multiplies matrices in each, and exits 0 if all products are right.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import util from 'node:util';

interface Tensor {
  dataSync(): Float32Array;
}
interface Tensorflow {
  fill(shape: number[], value: number): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  getBackend(): string;
}

const SIZE = 256;

const folder = isMainThread ? process.argv[2] : (workerData as string);
if (!folder) throw new Error('The probe needs the folder of a tfjs-node package.');
multiply(folder);
if (isMainThread) {
  for (let i = 0; i < 2; i++) new Worker(new URL(import.meta.url), { workerData: folder });
}

function multiply(folder: string): void {
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  const tf = createRequire(join(folder, 'package.json'))(folder) as Tensorflow;
  if (tf.getBackend() !== 'tensorflow') throw new Error(`The backend is ${tf.getBackend()}.`);
  for (let i = 0; i < 20; i++) {
    const product = tf.matMul(tf.fill([SIZE, SIZE], 0.5), tf.fill([SIZE, SIZE], 2)).dataSync();
    const wrong = product.find((value) => value !== SIZE);
    if (wrong !== undefined) throw new Error(`A product is ${String(wrong)}, not ${String(SIZE)}.`);
  }
}
