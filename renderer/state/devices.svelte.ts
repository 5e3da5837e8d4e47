/** What this machine can compute on, as the core finds it. */
import { defaultBackend } from '../../core/contract/devices.ts';
import { toErrorRecord, type ErrorRecord } from '../../core/contract/errors.ts';
import type { BackendName, DeviceReport } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';

class Devices {
  /** Fastest first; null until they have been looked for once. */
  list = $state.raw<readonly DeviceReport[] | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  looking = $state(false);
  /** The one that a run gets unless it says otherwise. */
  fastest = $derived(this.list === null ? null : defaultBackend(this.list));

  /** What is known of a backend. */
  of(backend: BackendName): DeviceReport | undefined {
    return this.list?.find((each) => each.backend === backend);
  }

  /** Whether it can be used; true while that is not known yet. */
  has(backend: BackendName): boolean {
    return this.list?.some((each) => each.backend === backend && each.available) ?? true;
  }

  /** Reads them at every connection until the returned function is called. */
  watch(): () => void {
    return core.onConnect(() => void this.read(false));
  }

  /** @param again whether to look anew; otherwise what was found before is enough */
  async read(again: boolean): Promise<void> {
    this.looking = true;
    try {
      this.list = await core.call('devices.list', { again });
      this.error = null;
    } catch (error) {
      this.error = toErrorRecord(error);
    } finally {
      this.looking = false;
    }
  }
}

export const devices = new Devices();
