/** Entry of the thread that writes a file of ListOps examples. */
import { writeListops } from '../data/listopsGenerator.ts';
import { serveTask } from './serveTask.ts';

await serveTask('generator', ({ path, options }) => {
  writeListops(path, options);
  return Promise.resolve(null);
});
