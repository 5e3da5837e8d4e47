/** Parsers of option values. Each throws a sentence that commander puts after the option's name. */
import { InvalidArgumentError, Option } from 'commander';
import { closestMatch } from 'leven';
import { backendNames, precisions, type BackendName } from '../../contract/records.ts';

/** A whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/u.test(text) || !Number.isSafeInteger(value) || value < min)
      throw new InvalidArgumentError(`It must be a whole number of at least ${min}.`);
    return value;
  };
}

/** Any number of at least `min`. */
export function decimal(min: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || value < min)
      throw new InvalidArgumentError(`It must be a number of at least ${min}.`);
    return value;
  };
}

/** Text of at least one character: an unset shell variable is a likely slip, and worth a sentence. */
export function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** Collects an option that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function backend(text: string): BackendName {
  const known = backendNames.find((name) => name === text);
  if (known !== undefined) return known;
  const nearest = closestMatch(text, backendNames, { maxDistance: 2 });
  throw new InvalidArgumentError(
    `Backends: ${backendNames.join(', ')}.${nearest === undefined ? '' : ` (Did you mean ${nearest}?)`}`,
  );
}

/** `--backend B`. */
export function backendOption(): Option {
  return new Option(
    '--backend <B>',
    `where to compute: ${backendNames.join(', ')} (default: the fastest available; webgpu only on a real GPU)`,
  ).argParser(backend);
}

/** `--precision P`. */
export function precisionOption(): Option {
  return new Option(
    '--precision <P>',
    'short for --set precision=P: f16, half precision, for webgpu on a GPU that has it (default: f32)',
  ).choices(precisions);
}

/** `--vocabulary N`. */
export function vocabularyOption(): Option {
  return new Option(
    '--vocabulary <N>',
    'vocabulary size (default: 256 for bytes, N for a tokenizer bpe:N, 18 for listops)',
  ).argParser(wholeNumber(2));
}

/** `--set key=value…`, and that any number of times. */
export function setOption(): Option {
  return new Option('--set <key=value...>', 'change fields of the configuration')
    .argParser<string[]>(collect)
    .default([], 'none');
}
