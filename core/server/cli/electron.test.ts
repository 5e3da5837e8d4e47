/** How the command line starts the desktop shell and waits for it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

test(
  'a signal is passed on, and the end of the shell with its checkpoints waited for',
  { skip: process.platform === 'win32' },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-electron-'));
    const shell = join(folder, 'shell.sh');
    const lines = [
      '#!/bin/sh',
      "trap 'sleep 0.3; echo checkpointed; exit 7' TERM",
      'echo up',
      'while :; do sleep 0.05; done',
    ];
    writeFileSync(shell, lines.join('\n'), { mode: 0o755 });
    const entry = JSON.stringify(join(import.meta.dirname, 'electron.ts'));
    const code = `const { runElectron } = await import(${entry});
      process.exitCode = await runElectron(${JSON.stringify(shell)});`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const [exit] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([output, exit], ['up\ncheckpointed\n', 7]);
    rmSync(folder, { recursive: true });
  },
);
