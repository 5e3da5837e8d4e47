/** What this machine can compute with, as the form needs it. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { BackendName, DeviceReport } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';

export class Devices {
  /** Fastest first; null until it has been read. */
  list = $state.raw<readonly DeviceReport[] | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  fastest = $derived(this.list?.find(({ available }) => available)?.backend ?? null);

  /** Whether it can be used; true while that is not known yet. */
  has(backend: BackendName): boolean {
    return this.list?.some((each) => each.backend === backend && each.available) ?? true;
  }

  async read(): Promise<void> {
    try {
      this.list = await core.call('devices.list', {});
      this.error = null;
    } catch (error) {
      this.error = toErrorRecord(error);
    }
  }
}
