import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { test } from 'node:test';
import { SwitchyardError } from '../../contract/errors.ts';
import { fileError, report } from './failures.ts';
import { fit, Output } from './output.ts';

/** An output whose streams can be read. */
function captured(json: boolean): { out: Output; stdout: () => string; stderr: () => string } {
  const streams = [new PassThrough(), new PassThrough()];
  const [stdout, stderr] = streams.map((stream) => (): string => String(stream.read() ?? ''));
  const [first, second] = streams as unknown as WriteStream[];
  return { out: new Output({ json, stdout: first, stderr: second }), stdout, stderr };
}

test('an error of ours is its sentence; a fault shows the stack and asks for a report', () => {
  const { out, stdout, stderr } = captured(false);
  assert.equal(report(new SwitchyardError('diverged', 'The loss became NaN at step 3.'), out), 1);
  assert.equal(stderr(), 'The loss became NaN at step 3.\n');
  assert.equal(report(new TypeError('x is not a function'), out), 1);
  const text = stderr();
  assert.match(text, /^x is not a function\n/u);
  assert.match(text, /\n {4}at /u);
  assert.match(text, /fault in Switchyard\. Please report it/u);
  assert.equal(stdout(), '');
});

test('errors of the file system are sentences; ours pass unchanged', () => {
  const system = (code: string): Error => Object.assign(new Error(`${code}: raw words`), { code });
  for (const code of ['ENOENT', 'EISDIR', 'EEXIST', 'ENOTDIR', 'EACCES', 'ENOSPC']) {
    const { message } = fileError(system(code), '/a/b.png', 'write');
    assert.match(message, /\/a\/b\.png/u);
    assert.doesNotMatch(message, /raw words/u);
  }
  const ours = new SwitchyardError('disk-full', 'The disk is full.');
  assert.equal(fileError(ours, '/a/b.png', 'write'), ours);
});

test('with --json only records reach stdout', () => {
  const { out, stdout, stderr } = captured(true);
  out.line('for people');
  out.text('for people');
  out.status('for people');
  out.record({ type: 'run', step: 3 });
  report(new SwitchyardError('not-found', 'There is no run.'), out);
  assert.equal(
    stdout(),
    '{"type":"run","step":3}\n{"type":"error","code":"not-found","message":"There is no run."}\n',
  );
  assert.equal(stderr(), '');
});

test('the progress line drops its last parts until it fits', () => {
  const parts = ['step 10/600', 'loss 2.1234', '98.2 ms/step'];
  assert.deepEqual(fit(parts, 80), parts);
  assert.deepEqual(fit(parts, 30), parts.slice(0, 2));
  assert.deepEqual(fit(parts, 5), parts.slice(0, 1));
});
