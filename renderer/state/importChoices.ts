/** How the next text becomes tokens, as a person enters it: checked by the contract's declarations. */
import { fields } from '../../core/contract/config.ts';
import { toErrorRecord } from '../../core/contract/errors.ts';
import { resolveConfig } from '../../core/contract/resolveConfig.ts';

export interface ImportChoices {
  tokenizer: 'byte' | 'bpe';
  /** Entries of a byte-pair vocabulary; null while the field is empty. */
  vocabulary: number | null;
  /** Null while the field is empty. */
  validationShare: number | null;
}

export const usualChoices: ImportChoices = {
  tokenizer: 'byte',
  vocabulary: 8000,
  validationShare: fields.data.validationShare.default,
};

/** The tokenizer as the configuration names it; the choice need not be usable. */
export function tokenizerOf({ tokenizer, vocabulary }: ImportChoices): string {
  return tokenizer === 'byte' ? 'byte' : `bpe:${vocabulary ?? ''}`;
}

/** What is wrong with either field, in a sentence, or null. */
export function problemsOf(choices: ImportChoices): {
  tokenizer: string | null;
  validationShare: string | null;
} {
  return {
    tokenizer: problemOf('tokenizer', tokenizerOf(choices)),
    validationShare: problemOf('validationShare', choices.validationShare),
  };
}

/** The contract's own sentence, with the field's label in the place of its name. */
function problemOf(name: keyof typeof fields.data, value: unknown): string | null {
  try {
    resolveConfig({ data: { [name]: value } });
    return null;
  } catch (error) {
    const { label } = fields.data[name];
    return toErrorRecord(error)
      .message.replace(`data.${name} is null`, `${label} is empty`)
      .replace(`data.${name}`, label);
  }
}

/** What {@link keptForm} wrote; anything else gives the usual choices. */
export function parseChoices(kept: string | null): ImportChoices {
  const [tokenizer, vocabulary, share] = (kept ?? '').split(' ');
  const choices: ImportChoices = {
    tokenizer: tokenizer === 'bpe' ? 'bpe' : 'byte',
    vocabulary: Number(vocabulary),
    validationShare: Number(share),
  };
  const { vocabulary: entries } = choices;
  const usable =
    problemOf('tokenizer', `bpe:${entries}`) === null &&
    problemOf('validationShare', choices.validationShare) === null;
  return usable ? choices : usualChoices;
}

export function keptForm({ tokenizer, vocabulary, validationShare }: ImportChoices): string {
  return `${tokenizer} ${vocabulary} ${validationShare}`;
}
