/** Entry of the thread that writes an export folder. */
import { exportSafetensors } from '../export/safetensors.ts';
import { serveTask } from './serveTask.ts';

await serveTask('exporter', (options) => Promise.resolve(exportSafetensors(options)));
