import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwitchyardError } from '../contract/errors.ts';
import { listopsOptions, listopsOperators, type ListopsOptions } from '../contract/listops.ts';
import { parseListops } from './listops.ts';
import { generateListops } from './listopsGenerator.ts';

const generate = (options: Partial<ListopsOptions>) => [
  ...generateListops(listopsOptions({ examples: 2000, ...options })),
];

/** Nesting, and the operands of every operator. */
function shapeOf(text: string): { depth: number; operands: number[] } {
  const open: number[] = [];
  const operands: number[] = [];
  let depth = 0;
  for (const word of text.split(' ')) {
    if (word === ']') operands.push(open.pop() ?? 0);
    else if (open.length > 0) open[open.length - 1]++;
    if (word.startsWith('[')) depth = Math.max(depth, open.push(0));
  }
  return { depth, operands };
}

test('expressions are well-formed, labelled with their value, and all different', () => {
  const all = generate({});
  assert.equal(new Set(all.map(({ text }) => text)).size, 2000);
  for (const { text, value } of all) assert.equal(parseListops(text, 'generated').value, value);
  const values = all.map(({ value }) => value);
  for (let value = 0; value < 10; value++) assert.ok(values.includes(value), `${value}`);
});

test('limits are kept, and reached', () => {
  const all = generate({ depth: 3, operands: 4, minLength: 6, maxLength: 20 });
  const lengths = all.map(({ text }) => text.split(' ').length);
  assert.deepEqual([Math.min(...lengths), Math.max(...lengths)], [6, 20]);
  const shapes = all.map(({ text }) => shapeOf(text));
  assert.equal(Math.max(...shapes.map(({ depth }) => depth)), 3);
  const operands = new Set(shapes.flatMap((shape) => shape.operands));
  assert.deepEqual([...operands].sort(), [2, 3, 4]);
});

test('chosen operators alone occur, about equally often', () => {
  for (const operators of [listopsOperators, ['SM', 'MED'] as const]) {
    const words = generate({ operators }).flatMap(({ text }) => text.match(/[A-Z]+/gu) ?? []);
    for (const operator of operators) {
      const share = words.filter((word) => word === operator).length / words.length;
      assert.ok(Math.abs(share * operators.length - 1) < 0.1, `${operator}: ${share}`);
    }
    assert.deepEqual(new Set(words), new Set(operators));
  }
});

test('the same options give the same examples, another seed others; fewer are the first of more', () => {
  const first = generate({ examples: 100 });
  assert.deepEqual(generate({ examples: 100 }), first);
  assert.deepEqual(generate({ examples: 300 }).slice(0, 100), first);
  assert.notDeepEqual(generate({ examples: 100, seed: 2 }), first);
});

test('all expressions there are can be had, and one more is refused', () => {
  const options = { depth: 1, operands: 2, minLength: 4, operators: ['MIN'] as const };
  assert.equal(generate({ ...options, examples: 100 }).length, 100);
  assert.throws(
    () => generate({ ...options, examples: 101 }),
    isInvalid(/only 100 of 101 .* repetitions/),
  );
});

test('limits that exclude each other are refused with their values', () => {
  for (const [options, message] of [
    [
      { minLength: 30, maxLength: 20 },
      /minLength is 30, but must be at most maxLength, which is 20/,
    ],
    [{ depth: 1, minLength: 8 }, /depth 1 and at most 5 operands no expression is longer than 7/],
    // Operators of two operands have three tokens more than what they replace.
    [{ operands: 2, minLength: 5, maxLength: 6 }, /only 0 of 2000 .* shorter than minLength 5/],
    [{ operands: 1 }, /operands is 1, but must be a whole number from 2/],
    [{ depth: 1.5 }, /depth is 1\.5/],
    [{ operators: [] }, /operators is empty/],
  ] as const)
    assert.throws(() => generate(options), isInvalid(message));
});

function isInvalid(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SwitchyardError, String(error));
    assert.equal(error.code, 'invalid-argument');
    assert.match(error.message, message);
    return true;
  };
}
