/**
 * ListOps expressions as text and as tokens: parsing, and the value that the label of an example must
 * be. In a token file every example is its tokens followed by one class token, so that the file says
 * itself where examples end.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { listopsOperators, listopsVocabulary, type ListopsOperator } from '../contract/listops.ts';

/** What a token stands for; the index is the token. 0 pads. */
export const listopsWords: readonly string[] = [
  '[PAD]',
  ...Array.from({ length: 10 }, (_, digit) => String(digit)),
  ...listopsOperators.map((operator) => `[${operator}`),
  ']',
];

/** Values of expressions: 0 … 9. */
export const listopsClasses = 10;
/** The class token of value v is this plus v; such tokens only end examples and are no input. */
export const firstClassToken = listopsVocabulary;

const tokenOfWord = new Map(listopsWords.map((word, token) => [word, token]));
const firstDigit = 1;

/** The value of an operator on its operands, of which there is at least one. */
export function applyOperator(operator: ListopsOperator, operands: readonly number[]): number {
  switch (operator) {
    case 'MIN':
      return operands.reduce((least, operand) => Math.min(least, operand));
    case 'MAX':
      return operands.reduce((most, operand) => Math.max(most, operand));
    case 'MED':
      return median(operands);
    case 'SM':
      return operands.reduce((sum, operand) => sum + operand, 0) % 10;
    case 'FIRST':
      return operands[0];
    case 'LAST':
      return operands[operands.length - 1];
  }
}

function median(operands: readonly number[]): number {
  const sorted = operands.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : Math.floor((sorted[middle - 1] + sorted[middle]) / 2);
}

export interface ListopsExample {
  tokens: number[];
  /** 0 … 9. */
  value: number;
}

interface OpenOperator {
  operator: ListopsOperator;
  /** Its place among the words, from 1, for messages. */
  at: number;
  operands: number[];
}

/**
 * Reads one expression, words separated by white space: `[MAX 2 9 [MIN 4 7 ] 0 ]`, or a digit. Round
 * brackets, by which the published files mark their binary trees, are left out: they change nothing.
 * @param where begins the message of an error
 * @throws SwitchyardError `invalid-data` that says which word is wrong and why
 */
export function parseListops(expression: string, where: string): ListopsExample {
  const words = expression.split(/[\s()]+/u).filter((word) => word !== '');
  const wrong = (index: number, why: string): SwitchyardError =>
    new SwitchyardError(
      'invalid-data',
      `${where}: word ${index + 1}, "${words[index].slice(0, 40)}", ${why}.`,
    );
  const open: OpenOperator[] = [];
  const tokens: number[] = [];
  let value: number | undefined;
  for (const [index, word] of words.entries()) {
    const token = tokenOfWord.get(word);
    if (token === undefined || token === 0) throw wrong(index, `is none of ${wordList}`);
    if (value !== undefined) throw wrong(index, 'comes after the end of the expression');
    tokens.push(token);
    const operator = operatorOf(token);
    if (operator !== undefined) {
      open.push({ operator, at: index, operands: [] });
      continue;
    }
    let result = token - firstDigit;
    if (word === ']') {
      const closed = open.pop();
      if (closed === undefined) throw wrong(index, 'closes no operator');
      if (closed.operands.length === 0) throw wrong(closed.at, 'has no operands');
      result = applyOperator(closed.operator, closed.operands);
    }
    const outer = open.at(-1);
    if (outer === undefined) value = result;
    else outer.operands.push(result);
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw wrong(unclosed.at, 'is not closed: its "]" is missing');
  if (value === undefined)
    throw new SwitchyardError('invalid-data', `${where}: there is no expression.`);
  return { tokens, value };
}

const wordList = `the digits 0 to 9, ${listopsOperators.map((name) => `[${name}`).join(', ')} and ]; words are separated by spaces`;

function operatorOf(token: number): ListopsOperator | undefined {
  return listopsOperators[token - firstDigit - listopsClasses];
}
