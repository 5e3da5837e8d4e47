/** A process for killed.test.ts: imports the text, trains a tiny run and says on stdout how far it is. */
import type { PartialConfig } from '../../contract/config.ts';
import type { BackendName } from '../../contract/records.ts';
import { openCore } from '../openCore.ts';
import { createTinyRun, importText } from './tinyRun.ts';

const [home, backend, training] = process.argv.slice(2);
const core = openCore({ home });
core.subscribe((event) => {
  if (event.type === 'run-steps') process.stdout.write(`step ${event.steps.at(-1)?.step ?? 0}\n`);
});
await importText(core);
const { id } = await createTinyRun(
  core,
  JSON.parse(training) as PartialConfig['training'],
  'killed',
  backend as BackendName,
);
process.stdout.write(`run ${id}\n`);
