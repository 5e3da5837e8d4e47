/**
 * Makes ListOps expressions as Nangia & Bowman (2018) do: below the outermost operator, an operand is
 * an operator with probability 1/4 where the depth allows one, else a digit; operators, digits and
 * numbers of operands are uniform. What is too short, too long or a repetition is drawn again.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { listopsFields, type ListopsOptions } from '../contract/listops.ts';
import { stream, uniformInteger } from '../graph/random.ts';
import { writeFileAtomically, writeFully } from './atomicFile.ts';
import { applyOperator, listopsClasses } from './listops.ts';

/** One operand in so many is an operator, as in the published generator. */
const operatorEvery = 4;

/** Drawn in a row without one that can be kept; then the options are taken to be impossible. */
const longestSearch = 20_000;

/** An expression, flat as in `[MAX 2 9 [MIN 4 7 ] 0 ]`, and its value from 0 to 9. */
export interface GeneratedExpression {
  text: string;
  value: number;
}

/**
 * Expressions, all different. A pure function of the options.
 * @throws SwitchyardError `invalid-argument` when the options cannot be met together
 */
export function* generateListops(
  options: ListopsOptions,
): Generator<GeneratedExpression, void, undefined> {
  requirePossible(options);
  const known = new Set<string>();
  while (known.size < options.examples) {
    const drawn = drawNew(options, known);
    known.add(drawn.text);
    yield drawn;
  }
}

/**
 * Writes generated examples to a file, whole or not at all, as lines of label, tab and expression.
 * @throws SwitchyardError as {@link generateListops}, and `disk-full`, `not-found`
 */
export function writeListops(path: string, options: ListopsOptions): void {
  writeFileAtomically(path, (descriptor) => {
    let lines: string[] = [];
    const flush = (): void => {
      writeFully(descriptor, Buffer.from(lines.join('')));
      lines = [];
    };
    for (const { text, value } of generateListops(options)) {
      lines.push(`${value}\t${text}\n`);
      if (lines.length === 1000) flush();
    }
    flush();
  });
}

type Rejection = 'short' | 'long' | 'known';

/** The next expression of acceptable length that is not known yet. */
function drawNew(options: ListopsOptions, known: ReadonlySet<string>): GeneratedExpression {
  const rejected: Record<Rejection, number> = { short: 0, long: 0, known: 0 };
  let index = 0;
  const draw = (limit: number): number =>
    uniformInteger(stream.listops, known.size, index++, options.seed, limit);
  for (let attempt = 0; attempt < longestSearch; attempt++) {
    const words: string[] = [];
    const value = drawOperator(options, options.depth, draw, words);
    if (value === null) {
      rejected.long++;
      continue;
    }
    const text = words.join(' ');
    if (words.length < options.minLength) rejected.short++;
    else if (known.has(text)) rejected.known++;
    else return { text, value };
  }
  throw notFound(options, known.size, rejected);
}

/**
 * Appends an operator with its operands to `words`.
 * @param depth operators that may be nested, this one included
 * @param draw a whole number from 0 to below a limit
 * @returns its value, or null once there are more words than the options allow
 */
function drawOperator(
  options: ListopsOptions,
  depth: number,
  draw: (limit: number) => number,
  words: string[],
): number | null {
  const operator = options.operators[draw(options.operators.length)];
  const count = 2 + draw(options.operands - 1);
  words.push(`[${operator}`);
  const operands: number[] = [];
  for (let i = 0; i < count; i++) {
    const nested = depth > 1 && draw(operatorEvery) === 0;
    const operand = nested ? drawOperator(options, depth - 1, draw, words) : draw(listopsClasses);
    if (operand === null || words.length >= options.maxLength) return null;
    if (!nested) words.push(String(operand));
    operands.push(operand);
  }
  words.push(']');
  return words.length > options.maxLength ? null : applyOperator(operator, operands);
}

function requirePossible(options: ListopsOptions): void {
  const { depth, operands, minLength, maxLength, operators } = options;
  for (const [name, { min, max }] of Object.entries(listopsFields)) {
    const value = options[name as keyof typeof listopsFields];
    if (!Number.isInteger(value) || value < min || value > max)
      throw invalid(`${name} is ${value}, but must be a whole number from ${min} to ${max}.`);
  }
  if (operators.length === 0) throw invalid('operators is empty, but at least one is needed.');
  if (minLength > maxLength)
    throw invalid(
      `minLength is ${minLength}, but must be at most maxLength, which is ${maxLength}.`,
    );
  const longest = longestExpression(depth, operands);
  if (minLength > longest)
    throw invalid(
      `minLength is ${minLength}, but with depth ${depth} and at most ${operands} operands no expression is longer than ${longest} tokens. Allow more depth or operands, or shorter expressions.`,
    );
}

/** Tokens of the full tree: an operator, its operands and a closing bracket on every level. */
function longestExpression(depth: number, operands: number): number {
  let tokens = 1;
  for (let level = 0; level < depth; level++) tokens = 2 + operands * tokens;
  return tokens;
}

function notFound(
  options: ListopsOptions,
  found: number,
  { short, long, known }: Record<Rejection, number>,
): SwitchyardError {
  const { examples, depth, operands, minLength, maxLength } = options;
  return invalid(
    `only ${found} of ${examples} expressions were found: of ${longestSearch} drawn in a row with depth ${depth} and at most ${operands} operands, ${short} were shorter than minLength ${minLength}, ${long} longer than maxLength ${maxLength}, and ${known} repetitions. Ask for fewer examples, or allow more lengths, depth, operands or operators.`,
  );
}

function invalid(what: string): SwitchyardError {
  return new SwitchyardError('invalid-argument', `ListOps: ${what}`);
}
