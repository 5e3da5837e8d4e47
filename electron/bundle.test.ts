import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createBuilder } from 'vite';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-bundle-'));
after(() => rmSync(folder, { recursive: true }));

test('the bundle needs only Electron and Node, and a sandbox can run the preload script', async () => {
  const builder = await createBuilder({
    configFile: join(import.meta.dirname, 'vite.config.ts'),
    build: { outDir: folder },
    logLevel: 'silent',
  });
  await builder.buildApp();
  assert.deepEqual(readdirSync(folder).sort(), ['main.js', 'preload.cjs', 'workbench.json']);

  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const imports = [...read('main.js').matchAll(/^import .* from "(.*)";$/gmu)].map(
    ([, specifier]) => specifier ?? '',
  );
  assert.ok(imports.includes('electron'));
  for (const specifier of imports)
    assert.ok(
      specifier === 'electron' || builtinModules.includes(specifier.replace(/^node:/u, '')),
      `${specifier} is not in the package`,
    );
  // A sandboxed script may require Electron's own part and little more.
  const required = [...read('preload.cjs').matchAll(/require\("(.*?)"\)/gu)].map(
    ([, name]) => name,
  );
  assert.deepEqual(required, ['electron']);
  assert.equal((JSON.parse(read('workbench.json')) as { type: string }).type, 'module');
});
