/** Whether this machine has an adapter for tests: a GPU, or the software that `npm test` looks for. */
import { SwitchyardError } from '../../../contract/errors.ts';
import { loadWebgpu } from '../loadWebgpu.ts';

/** For a test's `skip`: why there is none, or false. */
export const adapterMissing: string | false = await loadWebgpu().then(
  () => false,
  (error: unknown) => {
    if (error instanceof SwitchyardError && error.code === 'device-unavailable')
      return error.message;
    throw error;
  },
);
