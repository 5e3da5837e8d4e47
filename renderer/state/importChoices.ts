/** How the next text becomes tokens, as a person enters it: checked by the contract's declarations. */
import { fields } from '../../core/contract/config.ts';
import { toErrorRecord } from '../../core/contract/errors.ts';
import * as format from '../../core/contract/format.ts';
import { resolveConfig } from '../../core/contract/resolveConfig.ts';

const tokenizers = ['byte', 'bpe', 'listops'] as const;

export interface ImportChoices {
  tokenizer: (typeof tokenizers)[number];
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
  return tokenizer === 'bpe' ? `bpe:${vocabulary ?? ''}` : tokenizer;
}

/** A tokenizer in the words of the form: `bytes`, `byte pairs (8,000)`, `ListOps`. */
export function tokenizerWords(tokenizer: string): string {
  if (tokenizer === 'byte') return 'bytes';
  if (tokenizer === 'listops') return 'ListOps';
  const [, entries] = tokenizer.split(':');
  return `byte pairs (${format.whole(Number(entries))})`;
}

/** Whether a file of that name is likelier to be ListOps data than the text that it would be read as. */
export function suggestsListops(name: string, { tokenizer }: ImportChoices): boolean {
  return tokenizer !== 'listops' && /\.tsv$/iu.test(name);
}

/** What is wrong with either field, in a sentence, or null. */
export function problemsOf(choices: ImportChoices): {
  tokenizer: string | null;
  validationShare: string | null;
} {
  return {
    tokenizer: vocabularyProblem(choices),
    validationShare: problemOf('validationShare', choices.validationShare),
  };
}

/** People enter a number; that the configuration writes it as `bpe:N` is not theirs to know. */
function vocabularyProblem({ tokenizer, vocabulary }: ImportChoices): string | null {
  if (problemOf('tokenizer', tokenizerOf({ ...usualChoices, tokenizer, vocabulary })) === null)
    return null;
  const given = vocabulary === null ? 'empty' : String(vocabulary);
  return `The number of vocabulary entries is ${given}, but must be a whole number from 256 to 30,000.`;
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
    tokenizer: tokenizers.find((known) => known === tokenizer) ?? usualChoices.tokenizer,
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
