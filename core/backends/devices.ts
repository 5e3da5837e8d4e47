/** What this machine can compute with: the list for `doctor` and pickers, and opening one of them. */
import { toErrorRecord } from '../contract/errors.ts';
import { backendNames, type BackendName, type DeviceReport } from '../contract/records.ts';
import type { Executor } from '../graph/executor.ts';
import { ReferenceExecutor } from './reference/executor.ts';
import { TfjsExecutor } from './tfjs/executor.ts';
import { loadTf } from './tfjs/loadTf.ts';

/** What a backend is on this machine, or why it is absent. Loads it. */
export async function reportDevice(backend: BackendName): Promise<DeviceReport> {
  try {
    const device =
      backend === 'reference'
        ? new ReferenceExecutor().info.device
        : (await loadTf(backend)).device;
    return { backend, available: true, device, reason: '' };
  } catch (error) {
    return { backend, available: false, device: '', reason: toErrorRecord(error).message };
  }
}

/** Every backend, fastest first, with the reason where one is absent. Loads what it lists. */
export async function listDevices(): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  // One after the other: they share one library, whose start-up is not made for company.
  for (const backend of backendNames) reports.push(await reportDevice(backend));
  return reports;
}

/** An executor of its own on a backend. @throws SwitchyardError('device-unavailable') */
export function openExecutor(backend: BackendName): Promise<Executor> {
  return backend === 'reference'
    ? Promise.resolve(new ReferenceExecutor())
    : TfjsExecutor.open(backend);
}

/** The fastest backend that this machine has. */
export async function fastestBackend(): Promise<BackendName> {
  for (const backend of backendNames) if ((await reportDevice(backend)).available) return backend;
  return 'reference';
}
