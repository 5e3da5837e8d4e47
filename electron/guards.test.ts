import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeShell, Refusable } from './testing/fakeDesktop.ts';

test('the window runs its page sandboxed, isolated and without Node', async () => {
  const shell = fakeShell();
  await shell.start();
  const preferences = shell.window().options.webPreferences;
  assert.equal(preferences?.sandbox, true);
  assert.equal(preferences.contextIsolation, true);
  assert.equal(preferences.nodeIntegration, false);
  assert.equal(preferences.webviewTag, false);
  assert.equal(preferences.spellcheck, false);
  assert.equal(preferences.webSecurity, true);
  shell.remove();
});

test('the sandbox is for everything, unless the person who starts the app says otherwise', async () => {
  const shell = fakeShell();
  await shell.start();
  assert.ok(shell.steps.includes('sandbox'));
  shell.remove();
  const root = fakeShell({ argv: ['switchyard', '--no-sandbox'] });
  await root.start();
  assert.ok(!root.steps.includes('sandbox'));
  root.remove();
});

test('no contents may leave its address, open a window or embed a web view', async () => {
  const shell = fakeShell();
  await shell.start();
  const contents = shell.window().webContents;
  for (const name of [
    'will-navigate',
    'will-frame-navigate',
    'will-redirect',
    'will-attach-webview',
  ]) {
    const event = new Refusable();
    contents.emit(name, event);
    assert.equal(event.refused, true, name);
  }
  assert.deepEqual(contents.openHandler?.(), { action: 'deny' });
  shell.remove();
});

test('permissions are refused; only the page’s own Copy may write to the clipboard', async () => {
  const shell = fakeShell();
  await shell.start();
  const { request, check, device } = shell.session;
  assert.ok(request !== null && check !== null && device !== null);
  const { webContents } = shell.window();
  const contents = webContents as unknown as Parameters<typeof request>[0];
  const asked = (permission: Parameters<typeof request>[1], requestingUrl: string): boolean => {
    let answer: boolean | undefined;
    request(contents, permission, (granted) => (answer = granted), {
      requestingUrl,
      isMainFrame: true,
    });
    assert.ok(answer !== undefined);
    return answer;
  };
  const page = 'app://switchyard/index.html';
  for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read'] as const)
    assert.equal(asked(permission, page), false, permission);
  assert.equal(asked('clipboard-sanitized-write', page), true);
  assert.equal(asked('clipboard-sanitized-write', 'https://example.org/'), false);

  const details = { isMainFrame: true } as Parameters<typeof check>[3];
  assert.equal(check(null, 'media', 'app://switchyard', details), false);
  assert.equal(check(null, 'clipboard-sanitized-write', 'app://switchyard', details), true);
  assert.equal(check(null, 'clipboard-sanitized-write', 'app://switchyard/', details), true);
  assert.equal(check(null, 'clipboard-sanitized-write', 'https://example.org', details), false);
  assert.equal(device({} as Parameters<typeof device>[0]), false);
  shell.remove();
});
