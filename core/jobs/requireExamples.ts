/** Whether a dataset of examples and a model that classifies fit each other. */
import { join } from 'node:path';
import type { ModelConfig } from '../contract/config.ts';
import { SwitchyardError } from '../contract/errors.ts';
import type { Dataset } from '../contract/records.ts';
import { indexExamples, tooLong } from '../data/examples.ts';
import { openTokenFile, tokenDtype } from '../data/tokenFile.ts';

/**
 * A language model reads texts, a classifier examples.
 * @throws SwitchyardError `invalid-config` that says which to change
 */
export function requireTaskOfData(
  { task }: ModelConfig,
  { name, tokenizer }: Pick<Dataset, 'name' | 'tokenizer'>,
): void {
  const examples = tokenizer === 'listops';
  if (examples === (task === 'classification')) return;
  throw new SwitchyardError(
    'invalid-config',
    examples
      ? `Dataset "${name}" has ListOps examples to classify, but model.task is "${task}". Set model.task to "classification", or choose a dataset of text.`
      : `model.task is "classification", but dataset "${name}" is a text (tokenizer ${tokenizer}). Choose a dataset imported with the tokenizer "listops", or set model.task to "language-model".`,
  );
}

/**
 * Reads both parts of the dataset once.
 * @param folder the dataset's
 * @throws SwitchyardError `invalid-data` when a part has no example, or one that is longer than the context
 */
export function requireExamples({ context }: ModelConfig, dataset: Dataset, folder: string): void {
  for (const [part, tokens] of [
    ['train', dataset.trainTokens],
    ['validation', dataset.validationTokens],
  ] as const) {
    const dtype = tokenDtype(dataset.vocabulary);
    const file = openTokenFile(join(folder, `${part}.tokens`), dtype, tokens);
    try {
      const { count, longest } = indexExamples(file);
      if (count === 0)
        throw new SwitchyardError(
          'invalid-data',
          `Dataset "${dataset.name}" has no example for ${part === 'train' ? 'training' : 'validation'}. Import more examples, or with another validation share.`,
        );
      if (longest > context)
        throw new SwitchyardError(
          'invalid-data',
          tooLong(`dataset "${dataset.name}"`, longest, context),
        );
    } finally {
      file.close();
    }
  }
}
