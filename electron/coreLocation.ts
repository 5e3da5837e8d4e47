/** Where the core and its Node runtime lie: in the checkout, or beside the packaged app's archive. */
import { join } from 'node:path';

export interface Surroundings {
  readonly packaged: boolean;
  /** The checkout, or the app's archive. */
  readonly root: string;
  /** Electron's `process.resourcesPath`. */
  readonly resources: string;
  /** As Node names it. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CoreLocation {
  /** A Node 24 binary; never Electron's own, which forbids the buffers that devices need. */
  readonly node: string;
  readonly entry: string;
}

/** The folder in the packaged app's resources that holds everything the core needs; as in electron-builder.yml. */
export const packagedCore = 'workbench';

/** In a checkout, `SWITCHYARD_NODE` names the runtime that started the shell. */
export function locateCore({
  packaged,
  root,
  resources,
  platform,
  env,
}: Surroundings): CoreLocation {
  const home = packaged ? join(resources, packagedCore) : root;
  const binary = platform === 'win32' ? 'node.exe' : 'node';
  const own = join(home, 'node_modules', 'node', 'bin', binary);
  const chosen = packaged ? undefined : env['SWITCHYARD_NODE'];
  return {
    node: chosen === undefined || chosen === '' ? own : chosen,
    entry: join(home, 'core', 'server', 'coreProcess.ts'),
  };
}
