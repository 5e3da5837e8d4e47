import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { locateCore } from './coreLocation.ts';

const checkout = {
  packaged: false,
  root: '/checkout',
  resources: '/electron/resources',
  platform: 'linux',
  env: {},
};

test('a checkout’s core runs on the Node that started the shell, else on its own', () => {
  const entry = join('/checkout', 'core', 'server', 'coreProcess.ts');
  assert.deepEqual(locateCore({ ...checkout, env: { SWITCHYARD_NODE: '/node24' } }), {
    node: '/node24',
    entry,
  });
  assert.deepEqual(locateCore(checkout), {
    node: join('/checkout', 'node_modules', 'node', 'bin', 'node'),
    entry,
  });
});

test('the packaged core is never run by a Node that the environment names', () => {
  const { node } = locateCore({
    ...checkout,
    packaged: true,
    platform: 'win32',
    env: { SWITCHYARD_NODE: '/other' },
  });
  assert.equal(
    node,
    join('/electron/resources', 'workbench', 'node_modules', 'node', 'bin', 'node.exe'),
  );
});
