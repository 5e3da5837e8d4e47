/**
 * What goes wrong on a device. WebGPU reports errors later and elsewhere than where they happen; here
 * the first one is kept, and everything that is awaited afterwards fails with it.
 */
import { SwitchyardError } from '../../contract/errors.ts';

export class Fault {
  private readonly gpu: GPUDevice;
  private first: SwitchyardError | undefined;
  private ended = false;
  /** What to call when the first fault happens, one for each wait in progress. */
  private readonly waiting = new Set<(error: SwitchyardError) => void>();
  /** Error scopes whose results are still to come; they never reject. */
  private readonly pending = new Set<Promise<void>>();

  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
    gpu.addEventListener('uncapturederror', ({ error }) => {
      // It may follow from what a scope is about to report, which knows better what it was.
      void this.scopes().then(() => {
        this.raise(errorOf('The GPU refused what the WebGPU backend asked of it', error));
      });
    });
    void gpu.lost.then(({ reason, message }) => {
      this.raise(
        new SwitchyardError(
          'interrupted',
          `The GPU was lost (${reason}: ${message.trim()}). The driver may have restarted, or another program may have taken it; resume the run to go on from its last checkpoint.`,
        ),
      );
    });
  }

  /** From now on the device's end is no fault. */
  end(): void {
    this.ended = true;
  }

  raise(error: SwitchyardError): void {
    if (this.first !== undefined || this.ended) return;
    this.first = error;
    for (const reject of this.waiting) reject(error);
  }

  /** Does something whose errors are reported as those of `what`. */
  watch<T>(what: string, action: () => T): T {
    this.gpu.pushErrorScope('validation');
    this.gpu.pushErrorScope('out-of-memory');
    try {
      return action();
    } finally {
      for (let scope = 0; scope < 2; scope++) {
        const result = this.gpu.popErrorScope().then(
          (error) => {
            if (error !== null) this.raise(errorOf(`WebGPU failed at ${what}`, error));
          },
          () => undefined, // the device is lost, which is reported by itself
        );
        this.pending.add(result);
        void result.then(() => this.pending.delete(result));
      }
    }
  }

  /** Waits for something; fails with the first fault, also with one that was there before. */
  async guard<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await this.unlessFault(promise);
      if (this.pending.size > 0) await this.unlessFault(this.scopes());
      return value;
    } catch (error) {
      // A lost device refuses what is asked of it before it says that it is lost.
      if (this.first === undefined) await this.unlessFault(delay(200));
      throw error;
    }
  }

  private async scopes(): Promise<void> {
    await Promise.all(this.pending);
  }

  /** Like Promise.race with the first fault, but nothing is left behind when that never happens. */
  private unlessFault<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.first !== undefined) {
        promise.catch(() => undefined);
        reject(this.first);
        return;
      }
      this.waiting.add(reject);
      promise.then(resolve, reject).finally(() => this.waiting.delete(reject));
    });
  }
}

const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

function errorOf(what: string, error: GPUError): SwitchyardError {
  const isMemory = error.constructor.name === 'GPUOutOfMemoryError';
  return isMemory
    ? new SwitchyardError(
        'out-of-memory',
        `${what}: the GPU has not enough free memory. A smaller batch or context needs less.`,
        { cause: error },
      )
    : new SwitchyardError('internal', `${what}: ${error.message}`, { cause: error });
}
