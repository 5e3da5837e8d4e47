/** What a person should know of a dataset before training on it. */
import { fields } from '../../core/contract/config.ts';
import * as format from '../../core/contract/format.ts';
import type { Dataset } from '../../core/contract/records.ts';

type Measured = Pick<Dataset, 'tokenizer' | 'vocabulary' | 'trainTokens' | 'validationTokens'>;

/**
 * That a part is shorter than one sequence of the default context; null where both are longer, and of
 * ListOps data, whose examples have lengths of their own.
 */
export function tooShort({ tokenizer, trainTokens, validationTokens }: Measured): string | null {
  if (tokenizer === 'listops') return null;
  const context = fields.model.context.default;
  const [part, tokens] =
    trainTokens <= context ? ['training', trainTokens] : ['validation', validationTokens];
  if (tokens > context) return null;
  return `Its ${part} part has ${format.plural(tokens, 'token')}: too short to train on with the default context of ${format.whole(context)}, which needs at least ${format.whole(context + 1)}. Import a longer text, or choose a shorter context for the run.`;
}

/** That the text had fewer byte pairs to learn than entries were asked for; null otherwise. */
export function smallVocabulary({ tokenizer, vocabulary }: Measured): string | null {
  const asked = Number(tokenizer.split(':').at(1) ?? 0);
  if (vocabulary >= asked) return null;
  return `The vocabulary has ${format.whole(vocabulary)} entries, not the ${format.whole(asked)} that were asked for: the text has no more pairs to learn.`;
}

export function cautionsOf(dataset: Measured): string[] {
  return [tooShort(dataset), smallVocabulary(dataset)].filter((sentence) => sentence !== null);
}
