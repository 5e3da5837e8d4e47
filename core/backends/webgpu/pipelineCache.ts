/** Compiled shaders of a device: each text once, compiled in the background. */
import { SwitchyardError } from '../../contract/errors.ts';
import type { Dispatch } from './kernel.ts';
import { bindingsOf, shaderOf } from './shader.ts';

export interface Pipeline {
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: Promise<GPUComputePipeline>;
}

export class PipelineCache {
  private readonly gpu: GPUDevice;
  private readonly pipelines = new Map<string, Pipeline>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();

  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
  }

  /** The pipeline of a dispatch; its promise fails with what the compiler says. */
  get(dispatch: Dispatch): Pipeline {
    const code = shaderOf(dispatch);
    let found = this.pipelines.get(code);
    if (found === undefined) {
      const layout = this.layout(bindingsOf(dispatch).map(({ access }) => access));
      found = { layout, pipeline: this.compile(code, layout, dispatch.kernel) };
      found.pipeline.catch(() => undefined); // whoever awaits it hears of it
      this.pipelines.set(code, found);
    }
    return found;
  }

  private layout(accesses: readonly ('read' | 'read_write')[]): GPUBindGroupLayout {
    const key = accesses.join();
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      layout = this.gpu.createBindGroupLayout({
        entries: accesses.map((access, binding) => ({
          binding,
          visibility: 0x4, // COMPUTE
          buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
        })),
      });
      this.layouts.set(key, layout);
    }
    return layout;
  }

  private async compile(
    code: string,
    layout: GPUBindGroupLayout,
    kernel: string,
  ): Promise<GPUComputePipeline> {
    this.gpu.pushErrorScope('validation');
    const module = this.gpu.createShaderModule({ code, label: kernel });
    const scope = this.gpu.popErrorScope();
    const pipeline = this.gpu.createComputePipelineAsync({
      label: kernel,
      layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    try {
      const refused = await scope;
      if (refused !== null) throw new Error(refused.message);
      return await pipeline;
    } catch (cause) {
      pipeline.catch(() => undefined);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SwitchyardError(
        'internal',
        `The kernel "${kernel}" does not compile on this GPU: ${reason}`,
        { cause },
      );
    }
  }
}
