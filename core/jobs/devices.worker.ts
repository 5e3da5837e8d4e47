/** Entry of the thread that looks for devices: it loads every library, which the core's own thread must not. */
import { listDevices } from '../backends/devices.ts';
import { serveTask } from './serveTask.ts';

await serveTask('devices', () => listDevices());
