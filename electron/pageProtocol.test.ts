import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { servePage } from './pageProtocol.ts';
import { fakeShell } from './testing/fakeDesktop.ts';

test('the page’s files are served with a strict policy, and nothing else is', async () => {
  const shell = fakeShell();
  await shell.start();
  const { page } = shell.parts.paths;
  mkdirSync(join(page, 'assets'));
  writeFileSync(join(page, 'index.html'), '<title>page</title>');
  writeFileSync(join(page, 'assets', 'main.js'), 'export {};');

  const index = await shell.fetch('app://switchyard/index.html');
  assert.equal(index.status, 200);
  assert.equal(await index.text(), '<title>page</title>');
  assert.equal(index.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(index.headers.get('x-content-type-options'), 'nosniff');
  const policy = index.headers.get('content-security-policy') ?? '';
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    'connect-src ws://127.0.0.1:*',
    "frame-ancestors 'none'",
  ])
    assert.ok(policy.split('; ').includes(rule), rule);
  const script = await shell.fetch('app://switchyard/assets/main.js');
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');

  for (const path of ['', 'assets', 'gone.js', 'assets/../../package.json', '%2e%2e/secret', '%00'])
    assert.equal((await shell.fetch(`app://switchyard/${path}`)).status, 404, path);
  assert.equal((await shell.fetch('app://elsewhere/index.html')).status, 404);
  shell.remove();
});

test('no path leaves the folder, however it is written', async () => {
  const serve = servePage(import.meta.dirname);
  // Request normalises what it parses, so the answers are for what is left of each.
  for (const path of [
    '..%2fpackage.json',
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e%2fpackage.json',
    '..%5cpackage.json',
    '/etc/passwd',
    '//etc/passwd',
    '%E0%A4%A',
  ]) {
    const { status } = await serve(new Request(`app://switchyard/${path}`));
    assert.equal(status, 404, path);
  }
  assert.equal((await serve(new Request('app://switchyard/page.ts'))).status, 200);
});

test('other methods than reading are not answered', async () => {
  const serve = servePage(import.meta.dirname);
  const post = new Request('app://switchyard/page.ts', { method: 'POST' });
  assert.equal((await serve(post)).status, 404);
  const head = await serve(new Request('app://switchyard/page.ts', { method: 'HEAD' }));
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
});
