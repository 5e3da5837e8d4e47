/** Entry of the process that looks for devices: a message for each backend named in its arguments. */
import { reportDevice } from '../backends/devices.ts';
import type { BackendName } from '../contract/records.ts';

// Whoever asked is gone: there is nobody to report to.
process.once('disconnect', () => process.exit());
for (const backend of process.argv.slice(2)) {
  process.send?.(await reportDevice(backend as BackendName));
}
process.disconnect();
