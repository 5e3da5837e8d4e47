/** A process of its own that uses a store, for tests that need another process or kill one. */
import { writeSync } from 'node:fs';
import { openStore } from '../database.ts';
import { stepMetric, validationMetric } from './fixtures.ts';

const [task, file, runId] = process.argv.slice(2);
const say = (line: string | number) => writeSync(1, `${line}\n`); // not buffered: it was said when it returns

const store = openStore(file);
switch (task) {
  case 'open': // open, migrate, read, close
    say(store.runs.list().length);
    store.close();
    break;
  case 'hold': // run the given run until killed, or say why not
    try {
      say(store.runs.claim(runId).status);
      setInterval(() => undefined, 1000);
    } catch (error) {
      say((error as Error).message);
      store.close();
    }
    break;
  case 'append': // record until killed; each line is a step that was committed
    for (let step = 1; ; step += 2) {
      store.metrics.append(
        runId,
        [stepMetric(step), stepMetric(step + 1)],
        [validationMetric(step + 1, 1 / step)],
      );
      say(step + 1);
    }
}
