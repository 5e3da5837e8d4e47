/** How far an executor's outputs may be from the reference's. */
import assert from 'node:assert/strict';
import type { Executor, Outputs } from '../executor.ts';
import { compileCase, feedOf } from './runCase.ts';
import type { OpCase } from './cases.ts';

/** Of a tensor's largest magnitude. */
const tolerance = 2e-5;

/** Integers must be equal, all else within 2e-5 of the tensor's largest magnitude. */
export function compare(expected: Outputs, actual: Outputs, what: string): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const result = actual[name];
    assert.equal(result.length, values.length, `${what}: length of ${name}`);
    if (values instanceof Int32Array) {
      assert.deepEqual(result, values, `${what}: ${name}`);
      continue;
    }
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    for (const [i, value] of values.entries())
      assert.ok(
        Math.abs(result[i] - value) <= tolerance * largest,
        `${what}: ${name}[${i}] is ${result[i]}, not ${value} (largest ${largest})`,
      );
  }
}

/** A program that is run again must give the same bits. */
export async function checkRepeats(executor: Executor, opCase: OpCase): Promise<Outputs> {
  const program = compileCase(executor, opCase);
  try {
    const first = await program.run(feedOf(opCase));
    assert.deepEqual(await program.run(feedOf(opCase)), first, `${opCase.name} run twice`);
    return first;
  } finally {
    program.dispose();
  }
}
