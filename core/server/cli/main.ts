/** The `switchyard` command, on Node 24. The launcher (switchyard.mjs) re-executes itself into this. */
import { readFileSync } from 'node:fs';
import { report } from './failures.ts';
import { Output } from './output.ts';
import { createProgram } from './program.ts';

const args = process.argv.slice(2);
const end = args.indexOf('--');
// Known before anything is parsed, so that a mistyped command is reported in the right form too.
const json = args.slice(0, end < 0 ? undefined : end).includes('--json');
const out = new Output({ json });
const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };

// TensorFlow's information lines are not ours. Set here because its library reads the variable of the
// process, which a worker thread cannot change.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';

try {
  await createProgram(out, version).parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error, out);
}
await out.flush();
// Nothing that a library left running (thread pools, timers) may keep a finished command alive.
process.exit();
