import { SwitchyardError } from '../contract/errors.ts';
import { defaultBackend, precisionProblem } from '../contract/devices.ts';
import type { BackendName, DeviceReport, Precision } from '../contract/records.ts';
import { findDevices } from '../jobs/findDevices.ts';
import { optional, yesOrNo } from './arguments.ts';
import type { Context } from './context.ts';
import { handler } from './handlers.ts';

/** What this machine can compute with. Looked for once, as it loads every library, and remembered. */
export interface Devices {
  /** Fastest first. `again` looks anew. */
  list(options?: { again: boolean }): Promise<DeviceReport[]>;
  has(backend: BackendName, precision: Precision): Promise<boolean>;
  /** The one that computes unless somebody says otherwise. */
  default(): Promise<BackendName>;
  /** @throws SwitchyardError `device-unavailable` with the reason and the remedy */
  require(backend: BackendName, precision: Precision): Promise<void>;
}

export function createDevices(): Devices {
  let known: Promise<DeviceReport[]> | undefined;
  const list: Devices['list'] = ({ again } = { again: false }) => {
    if (again) known = undefined;
    known ??= findDevices().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  const find = async (backend: BackendName) =>
    (await list()).find((device) => device.backend === backend);
  return {
    list,
    has: async (backend, precision) => {
      const report = await find(backend);
      return report?.available === true && precisionProblem(backend, precision, report) === null;
    },
    default: async () => defaultBackend(await list()) ?? 'reference',
    require: async (backend, precision) => {
      const report = await find(backend);
      const problem =
        report?.available === true
          ? precisionProblem(backend, precision, report)
          : `The backend "${backend}" cannot be used on this machine: ${report?.reason ?? 'this version does not have it.'}`;
      if (problem !== null) throw new SwitchyardError('device-unavailable', problem);
    },
  };
}

export const deviceHandlers = ({ devices }: Context) => ({
  'devices.list': handler('devices.list', { again: optional(yesOrNo()) }, ({ again = false }) =>
    devices.list({ again }),
  ),
});
