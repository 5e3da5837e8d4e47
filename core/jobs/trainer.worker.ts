/** Entry of the thread that trains one run. It knows no database: it sends events. */
import { join } from 'node:path';
import { openExecutor } from '../backends/devices.ts';
import { openTokenFile, tokenDtype, type TokenFile } from '../data/tokenFile.ts';
import type { TrainRequest } from '../train/events.ts';
import { train } from '../train/train.ts';
import { trainerControl } from './messages.ts';
import { serveTask } from './serveTask.ts';

await serveTask('trainer', async (task, report) => {
  const control = new Int32Array(task.control);
  const request = (): TrainRequest => {
    const asked = Atomics.load(control, 0);
    if (asked === trainerControl.goOn) return 'go-on';
    return asked === trainerControl.pause ? 'pause' : 'stop';
  };
  const dtype = tokenDtype(task.vocabulary);
  const open = (name: string, tokens: number): TokenFile =>
    openTokenFile(join(task.dataset, name), dtype, tokens);
  // The files are closed with the thread.
  const trainTokens = open('train.tokens', task.trainTokens);
  const validationTokens = open('validation.tokens', task.validationTokens);
  const executor = await openExecutor(task.backend, task.config.training.precision);
  try {
    return await train({
      config: task.config,
      vocabulary: task.vocabulary,
      trainTokens,
      validationTokens,
      executor,
      checkpoints: task.checkpoints,
      resume: task.resume,
      emit: report,
      request,
      waitWhilePaused: () => {
        for (;;) {
          Atomics.wait(control, 0, trainerControl.pause);
          const asked = request();
          if (asked !== 'pause') return asked;
        }
      },
    });
  } finally {
    executor.dispose();
  }
});
