import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasToken, takeAddress } from './address.ts';

/** A tab: what it was opened with, what it keeps, and what its address bar shows. */
function tab(hash: string, kept = new Map<string, string>()) {
  const bar = { shown: hash };
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const take = () =>
    takeAddress({
      location: { hash, host: '127.0.0.1:7373' },
      sessionStorage: storage,
      history: { replaceState: (_data, _title, url) => void (bar.shown = url) },
    });
  return { take, bar, kept };
}

test('the token is taken out of the address bar and kept for the tab', () => {
  const first = tab('#token=secret');
  assert.deepEqual(first.take(), { host: '127.0.0.1:7373', token: 'secret' });
  assert.equal(first.bar.shown, '#/runs');
  const reloaded = tab('#/data', first.kept);
  assert.deepEqual(reloaded.take(), { host: '127.0.0.1:7373', token: 'secret' });
  assert.equal(reloaded.bar.shown, '#/data', 'the screen stays');
});

test('in the shell the address names the core as well', () => {
  assert.deepEqual(tab('#core=127.0.0.1:9&token=t').take(), { host: '127.0.0.1:9', token: 't' });
});

test('without a token there is no address', () => {
  assert.equal(tab('#/runs').take(), null);
  assert.deepEqual([hasToken('#/runs'), hasToken('#token=a')], [false, true]);
});
