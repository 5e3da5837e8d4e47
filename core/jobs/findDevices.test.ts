import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { backendNames } from '../contract/records.ts';
import { findDevices } from './findDevices.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-devices-'));
after(() => rmSync(folder, { recursive: true, force: true }));

void test('every backend is reported once, in order; those that need nothing are there', async () => {
  const reports = await findDevices();
  assert.deepEqual(
    reports.map(({ backend }) => backend),
    [...backendNames],
  );
  for (const { backend, available, device, reason } of reports) {
    const needsNothing = !['webgpu', 'tensorflow'].includes(backend);
    if (needsNothing) assert.ok(available, `${backend}: ${reason}`);
    assert.equal(available, reason === '');
    assert.equal(available, device !== '');
  }
});

void test('a library that kills the process is named, and the others are still found', async () => {
  const program = join(folder, 'look.mjs');
  writeFileSync(
    program,
    `for (const backend of process.argv.slice(2)) {
       if (backend === 'tensorflow') process.kill(process.pid, 'SIGSEGV');
       process.send({ backend, available: true, device: 'stand-in', reason: '', gpu: null });
     }
     process.disconnect();`,
  );
  const reports = await findDevices(backendNames, pathToFileURL(program));
  const [webgpu, tensorflow, ...rest] = reports;
  const others = [webgpu, ...rest];
  assert.equal(tensorflow.available, false);
  assert.match(tensorflow.reason, /ended the process that tried \(SIGSEGV\)/u);
  assert.equal(others.length, backendNames.length - 1);
  assert.ok(others.every(({ available }) => available));
});
