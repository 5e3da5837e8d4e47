/** What this machine can compute with: the list for `doctor` and pickers, and opening one of them. */
import { SwitchyardError, toErrorRecord } from '../contract/errors.ts';
import { precisionProblem } from '../contract/devices.ts';
import {
  backendNames,
  type BackendName,
  type DeviceReport,
  type GpuReport,
  type Precision,
} from '../contract/records.ts';
import type { Executor } from '../graph/executor.ts';
import { ReferenceExecutor } from './reference/executor.ts';
import { TfjsExecutor } from './tfjs/executor.ts';
import { loadTf } from './tfjs/loadTf.ts';
import { WebgpuExecutor } from './webgpu/executor.ts';
import { loadWebgpu, type LoadedWebgpu } from './webgpu/loadWebgpu.ts';

/** What a backend is on this machine, or why it is absent. Loads it. */
export async function reportDevice(backend: BackendName): Promise<DeviceReport> {
  try {
    return { backend, available: true, reason: '', ...(await describe(backend)) };
  } catch (error) {
    const reason = toErrorRecord(error).message;
    return { backend, available: false, device: '', reason, gpu: null };
  }
}

async function describe(backend: BackendName): Promise<Pick<DeviceReport, 'device' | 'gpu'>> {
  if (backend === 'reference') return { device: new ReferenceExecutor().info.device, gpu: null };
  if (backend !== 'webgpu') return { device: (await loadTf(backend)).device, gpu: null };
  const loaded = await loadWebgpu();
  return { device: loaded.device, gpu: gpuReport(loaded) };
}

function gpuReport({ adapter, name, software, f16, matrixUnits }: LoadedWebgpu): GpuReport {
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  return {
    name,
    driver: adapter.info.description,
    software,
    f16,
    matrixUnits: matrixUnits.map(({ m, n, k }) => [m, n, k]),
    bindingBytes: maxStorageBufferBindingSize,
    bufferBytes: maxBufferSize,
  };
}

/** Every backend, fastest first, with the reason where one is absent. Loads what it lists. */
export async function listDevices(): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  // One after the other: they share one library, whose start-up is not made for company.
  for (const backend of backendNames) reports.push(await reportDevice(backend));
  return reports;
}

/**
 * An executor of its own on a backend.
 * @throws SwitchyardError('device-unavailable'), also for a precision that the backend does not have
 */
export async function openExecutor(
  backend: BackendName,
  precision: Precision = 'f32',
): Promise<Executor> {
  const problem = precisionProblem(backend, precision);
  if (problem !== null) throw new SwitchyardError('device-unavailable', problem);
  if (backend === 'webgpu') return WebgpuExecutor.open(precision);
  return backend === 'reference' ? new ReferenceExecutor() : TfjsExecutor.open(backend);
}
