/**
 * Loads Dawn, the WebGPU of the npm package `webgpu`, and finds this machine's adapter. Dawn comes as
 * one native library for each platform; what is missing on a machine is a graphics driver.
 */
import { SwitchyardError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/records.ts';

/** Shape of the f16 products that the card's matrix units (tensor cores) do at once. */
export interface MatrixUnit {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** What kernels need to know of the device that they are made for. */
export interface DeviceFacts {
  readonly precision: Precision;
  /** WGSL's f16 can be used. Always so with precision f16. */
  readonly f16: boolean;
  /** Threads of a subgroup; absent where subgroups cannot be used or their size is not one number. */
  readonly subgroup: number | undefined;
  /** f16 operands with f32 sums; absent without subgroup matrices or with precision f32. */
  readonly matrixUnit: MatrixUnit | undefined;
  /** Most threads of a workgroup. */
  readonly invocations: number;
  /** Most bytes of workgroup memory. */
  readonly workgroupBytes: number;
  /** Most storage buffers that one kernel can use. */
  readonly bindings: number;
  /** Largest number of bytes that a kernel can see of one buffer. */
  readonly bindingBytes: number;
}

/** An adapter and what it can do. */
export interface LoadedWebgpu {
  readonly adapter: GPUAdapter;
  /** For people: the card, and the card with its driver. */
  readonly name: string;
  readonly device: string;
  /** Whether it is a program that imitates a GPU on the processor. */
  readonly software: boolean;
  readonly f16: boolean;
  readonly matrixUnits: readonly MatrixUnit[];
  readonly subgroup: number | undefined;
}

/** The options with which Dawn is started, see Dawn's list of toggles. */
const dawnOptions = [
  // Subgroup matrices are experimental; NVIDIA's Vulkan driver has f16 that Dawn does not trust yet.
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia',
  // Profiles need the clock as it is.
  'disable-dawn-features=timestamp_quantization',
];

let started: Promise<GPU> | undefined;

async function startDawn(): Promise<GPU> {
  // While anything is awaited, Dawn polls by setImmediate, which takes a whole core and stalls timers.
  globalThis.setImmediate = ((callback: (...values: unknown[]) => void, ...values: unknown[]) =>
    setTimeout(callback, 1, ...values)) as unknown as typeof setImmediate;
  globalThis.clearImmediate = clearTimeout as unknown as typeof clearImmediate;
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    return create(dawnOptions);
  } catch (cause) {
    throw new SwitchyardError(
      'device-unavailable',
      `WebGPU's library could not be loaded (${cause instanceof Error ? cause.message : String(cause)}). Run "npm ci" to install it again.`,
      { cause },
    );
  }
}

/**
 * The adapter with the highest performance.
 * @throws SwitchyardError('device-unavailable') when there is none, with the remedy
 */
export async function loadWebgpu(): Promise<LoadedWebgpu> {
  started ??= startDawn();
  const gpu = await started;
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null)
    throw new SwitchyardError(
      'device-unavailable',
      'No GPU was found that WebGPU can use. It needs a graphics driver with Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS); on Linux also the package libvulkan1.',
    );
  const { info } = adapter;
  const f16 = adapter.features.has('shader-f16');
  return {
    adapter,
    name: nameOf(info),
    device: info.description === '' ? nameOf(info) : `${nameOf(info)} (${info.description})`,
    software: info.isFallbackAdapter,
    f16,
    matrixUnits: f16 ? matrixUnitsOf(adapter) : [],
    subgroup:
      adapter.features.has('subgroups') && info.subgroupMinSize === info.subgroupMaxSize
        ? info.subgroupMaxSize
        : undefined,
  };
}

function nameOf({ vendor, architecture, device }: GPUAdapterInfo): string {
  return device === '' ? [vendor, architecture].filter(Boolean).join(' ') : device;
}

/** Not yet in the types of WebGPU: the proposal "subgroup-matrix". */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

export const subgroupMatrixFeature = 'chromium-experimental-subgroup-matrix';

function matrixUnitsOf(adapter: GPUAdapter): MatrixUnit[] {
  const features: ReadonlySet<string> = adapter.features;
  if (!features.has(subgroupMatrixFeature)) return [];
  const { subgroupMatrixConfigs = [] } = adapter.info as GPUAdapterInfo & {
    readonly subgroupMatrixConfigs?: readonly SubgroupMatrixConfig[];
  };
  return subgroupMatrixConfigs
    .filter((c) => c.componentType === 'f16' && c.resultComponentType === 'f32')
    .map(({ M, N, K }) => ({ m: M, n: N, k: K }));
}

/** The matrix unit that kernels use: square where there is one. */
function preferredUnit(units: readonly MatrixUnit[]): MatrixUnit | undefined {
  return units.find(({ m, n, k }) => m === n && n === k) ?? units.at(0);
}

export function factsOf(
  { f16, matrixUnits, subgroup }: LoadedWebgpu,
  { limits }: Pick<GPUDevice, 'limits'>,
  precision: Precision,
): DeviceFacts {
  return {
    precision,
    f16,
    subgroup,
    matrixUnit:
      precision === 'f16' && subgroup !== undefined ? preferredUnit(matrixUnits) : undefined,
    invocations: limits.maxComputeInvocationsPerWorkgroup,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    bindings: limits.maxStorageBuffersPerShaderStage,
    bindingBytes: limits.maxStorageBufferBindingSize,
  };
}

/**
 * A device with everything that the adapter has.
 * @throws SwitchyardError('device-unavailable') for f16 on an adapter without it
 */
export async function openDevice(
  { adapter, f16, name }: LoadedWebgpu,
  precision: Precision,
): Promise<GPUDevice> {
  if (precision === 'f16' && !f16)
    throw new SwitchyardError(
      'device-unavailable',
      `${name} has no half precision (WebGPU's shader-f16); train with --precision f32.`,
    );
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query', subgroupMatrixFeature];
  const features: ReadonlySet<string> = adapter.features;
  const { limits } = adapter;
  const request = adapter.requestDevice({
    requiredFeatures: wanted.filter((name) => features.has(name)) as GPUFeatureName[],
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    },
  });
  return request.catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SwitchyardError(
      'device-unavailable',
      `${name} could not be opened (${reason}). Another program may hold it; close that, or choose another backend.`,
      { cause },
    );
  });
}
