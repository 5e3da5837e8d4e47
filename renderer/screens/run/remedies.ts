/** What may help a run that has failed, by what went wrong. */
import type { ErrorCode } from '../../../core/contract/errors.ts';

export interface Remedy {
  /** What to do, in a sentence. */
  text: string;
  /** Which of the two is worth offering first. */
  first: 'resume' | 'duplicate';
}

const again: Remedy = {
  text: 'Resuming goes on from the last checkpoint.',
  first: 'resume',
};
const checked: Remedy = {
  text: 'Resuming would fail again. Duplicate the run and change what the sentence names.',
  first: 'duplicate',
};

const remedies: Partial<Record<ErrorCode, Remedy>> = {
  diverged: {
    text: 'Resuming the same settings usually diverges again. Duplicate the run with a lower learning rate, a longer warm-up or a smaller gradient clip.',
    first: 'duplicate',
  },
  'out-of-memory': {
    text: 'Duplicate the run with a smaller batch and as many more micro-batches per step, which trains the same, or with a shorter context.',
    first: 'duplicate',
  },
  'disk-full': {
    text: 'Free some space (the Machine screen shows what takes it), then resume from the last checkpoint.',
    first: 'resume',
  },
  'device-unavailable': {
    text: 'Bring the device back as the sentence says and resume, or duplicate the run on another one.',
    first: 'resume',
  },
  'checkpoint-damaged': {
    text: 'Resuming uses the newest checkpoint that is whole. Without one, duplicate the run and start over.',
    first: 'resume',
  },
  'invalid-config': checked,
  'invalid-data': checked,
  'not-found': checked,
};

export function remedyOf(code: ErrorCode): Remedy {
  return remedies[code] ?? again;
}
