/**
 * Where `npm run tensorflow` leaves the TensorFlow.js package it builds, and where the executor
 * looks for it. It lies outside the repository, so that `npm ci` does not wipe it and several
 * checkouts share one copy (about 1.1 GB).
 */

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The content of `ready.json` in the cache folder; the file exists only once the package in it has run. */
export interface TensorflowReady {
  /** Absolute path of a loadable `@tensorflow/tfjs-node` package. */
  readonly tfjsNode: string;
  readonly versions: { readonly tfjsNode: string; readonly tensorflow: string };
}

/** The cache folder, which need not exist: `SWITCHYARD_TENSORFLOW_CACHE`, else below the user's cache folder. */
export function tensorflowCacheFolder(): string {
  const chosen = process.env['SWITCHYARD_TENSORFLOW_CACHE'];
  if (chosen) return chosen;
  const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(caches, 'switchyard', 'tensorflow');
}
