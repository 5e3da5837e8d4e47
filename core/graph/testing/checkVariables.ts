import assert from 'node:assert/strict';
import type { Executor } from '../executor.ts';

/** Checks that an executor's variable is what was written, whatever happens to the arrays. */
export async function checkVariables(executor: Executor): Promise<void> {
  const values = Float32Array.of(1, 2, 3);
  executor.write('w', [3], values);
  values[0] = 9;
  const read = await executor.read('w');
  assert.deepEqual([...read], [1, 2, 3]);
  read[1] = 9;
  assert.deepEqual([...(await executor.read('w'))], [1, 2, 3]);
  assert.throws(() => {
    executor.write('w', [2], values);
  }, /got 3 values/u);
  await assert.rejects(executor.read('other'), /No variable "other"/u);
}
