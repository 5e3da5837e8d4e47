/**
 * ListOps (Nangia & Bowman 2018, arXiv:1804.06028): nested operators on digits, such as
 * `[MAX 2 9 [MIN 4 7 ] 0 ]`, to be classified by their value, 0 to 9. SM is the sum modulo 10, MED the
 * median, of an even number of operands the floor of the mean of the middle two.
 */
import { integer, type IntegerField } from './fields.ts';

export const listopsOperators = ['MIN', 'MAX', 'MED', 'SM', 'FIRST', 'LAST'] as const;
export type ListopsOperator = (typeof listopsOperators)[number];

/** Tokens that a model of ListOps reads: padding, ten digits, six operators, the closing bracket. */
export const listopsVocabulary = 18;

/** What a set of generated ListOps expressions is like. */
export interface ListopsOptions {
  /** How many expressions. */
  examples: number;
  /** Operators nested at most so deep; 1 is an operator of digits. */
  depth: number;
  /** Operands of one operator: from 2 to at most this. */
  operands: number;
  /** Tokens of an expression, operators, digits and closing brackets, at least and at most. */
  minLength: number;
  maxLength: number;
  operators: readonly ListopsOperator[];
  seed: number;
}

/**
 * The options that are numbers, each declared once. The shape is that of the published training data
 * (depth and operands at most 5, its operator probability), without its shortest expressions and
 * with fewer examples.
 */
export const listopsFields: Readonly<
  Record<keyof Omit<ListopsOptions, 'operators'>, IntegerField>
> = {
  examples: integer({
    default: 20_000,
    min: 1,
    max: 1_000_000,
    label: 'Examples',
    unit: 'examples',
    help: 'How many expressions, training and validation together; all are different.',
  }),
  depth: integer({
    default: 5,
    min: 1,
    max: 50,
    label: 'Depth',
    unit: 'operators',
    help: 'Operators are nested at most so deep; 1 is an operator of digits.',
  }),
  operands: integer({
    default: 5,
    min: 2,
    max: 50,
    label: 'Operands',
    unit: 'operands',
    help: 'An operator has from 2 to at most so many operands.',
  }),
  minLength: integer({
    default: 10,
    min: 4,
    max: 4096,
    label: 'Shortest expression',
    unit: 'tokens',
    help: 'Operators, digits and closing brackets count as one token each.',
  }),
  maxLength: integer({
    default: 60,
    min: 4,
    max: 4096,
    label: 'Longest expression',
    unit: 'tokens',
    help: 'A model needs a context of at least this length.',
  }),
  seed: integer({
    default: 1,
    min: 0,
    max: 2 ** 32 - 1,
    label: 'Seed',
    help: 'The same options and seed give the same expressions.',
  }),
};

/** What was asked for, completed with the defaults of {@link listopsFields} and all operators. */
export function listopsOptions(given: Partial<ListopsOptions>): ListopsOptions {
  const { examples, depth, operands, minLength, maxLength, seed } = listopsFields;
  return {
    examples: given.examples ?? examples.default,
    depth: given.depth ?? depth.default,
    operands: given.operands ?? operands.default,
    minLength: given.minLength ?? minLength.default,
    maxLength: given.maxLength ?? maxLength.default,
    operators: given.operators ?? listopsOperators,
    seed: given.seed ?? seed.default,
  };
}
