/** Choosing among the backends of a machine, for the core, the command line and the app alike. */
import type { BackendName, DeviceReport, Precision } from './records.ts';

/**
 * The backend that computes unless somebody says otherwise: the fastest available one. A program that
 * imitates a GPU is slower than the processor itself.
 */
export function defaultBackend(reports: readonly DeviceReport[]): BackendName | null {
  const usable = reports.find(({ available, gpu }) => available && gpu?.software !== true);
  return usable?.backend ?? null;
}

/**
 * Why a backend cannot compute in a precision, and what would be right; null where it can.
 * @param report of that backend, where it is known: a GPU may lack half precision
 */
export function precisionProblem(
  backend: BackendName,
  precision: Precision,
  report?: DeviceReport,
): string | null {
  if (precision === 'f32') return null;
  if (backend !== 'webgpu')
    return `Half precision (training.precision "f16") needs the backend webgpu, on a GPU that has it; ${backend} computes in single precision. Choose the backend webgpu, or the precision f32.`;
  if (report?.gpu?.f16 === false)
    return `${report.gpu.name} has no half precision (WebGPU's shader-f16), which training.precision "f16" needs. Choose the precision f32.`;
  return null;
}
