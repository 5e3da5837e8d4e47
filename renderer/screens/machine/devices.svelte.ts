/** What this machine can compute on, as the core finds it. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { DeviceReport } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';

class Devices {
  /** Null until they have been looked for once. */
  list = $state.raw<readonly DeviceReport[] | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  looking = $state(false);

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
