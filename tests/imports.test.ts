/**
 * Imports point down only. The table is the design's picture of the layers; a folder that is not
 * in it, or an import that its row does not allow, fails here with the line and the rule.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const root = dirname(import.meta.dirname);

/**
 * What each folder may import besides itself and packages. A target ending in `.ts` allows that
 * one file. The longest matching key is a file's row.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'core/contract': [],
  'core/graph': ['core/contract'],
  'core/store': ['core/contract'],
  // The batches draw from the counter hash that every backend shares.
  'core/data': ['core/contract', 'core/graph/random.ts'],
  'core/backends': ['core/graph', 'core/contract'],
  'core/model': ['core/graph', 'core/contract'],
  'core/train': ['core/model', 'core/data', 'core/graph', 'core/contract'],
  'core/analyse': ['core/model', 'core/train', 'core/data', 'core/graph', 'core/contract'],
  'core/export': ['core/model', 'core/train', 'core/data', 'core/graph', 'core/contract'],
  'core/jobs': [
    ...['core/train', 'core/data', 'core/analyse', 'core/export', 'core/model', 'core/graph'],
    ...['core/backends', 'core/contract'],
  ],
  'core/api': ['core/store', 'core/jobs', 'core/contract'],
  'core/server': ['core/api', 'core/contract'],
  'core/server/cli': [
    ...['core/server', 'core/api', 'core/jobs', 'core/backends', 'core/model', 'core/data'],
    ...['core/graph', 'core/analyse', 'core/export', 'core/train', 'core/contract'],
  ],
  renderer: ['core/contract'],
  // Both hosts of a core process, the shell and `serve`, restart it by the same rules.
  electron: ['core/contract', 'core/server/supervisor.ts'],
  scripts: [],
  benchmarks: [],
  tests: [],
};

/** Development code stands outside the layers and may look at all of them. */
const EVERYTHING: readonly string[] = ['scripts', 'benchmarks', 'tests'];

/** Packages that belong to one layer: only the store touches SQLite, only executors touch TensorFlow.js and Dawn. */
const OWNERS: Readonly<Record<string, string>> = {
  'better-sqlite3': 'core/store',
  '@tensorflow': 'core/backends',
  webgpu: 'core/backends',
  electron: 'electron',
  svelte: 'renderer',
  ws: 'core/server',
};

/** Tests, and folders that only serve them, may reach across layers; nothing else may import them. */
const TEST_FILE = /\.test\.ts$|\/testing\//;

interface Import {
  readonly line: number;
  readonly specifier: string;
}

/** Every module that a source file names: static, type-only, re-exported, dynamic, or started as a worker by URL. */
function importsOf(path: string, text: string): Import[] {
  const code = path.endsWith('.svelte') ? scriptsOf(text) : text;
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ line, specifier: node.text });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]);
    else if (ts.isNewExpression(node) && isRelativeUrl(node)) add(node.arguments?.[0]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A Svelte component's script blocks, on their own lines: everything else becomes blank. */
function scriptsOf(component: string): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
  let code = '';
  let end = 0;
  for (const script of component.matchAll(/(<script[^>]*>)([^]*?)<\/script>/g)) {
    const start = script.index + (script[1]?.length ?? 0);
    code += blank(component.slice(end, start)) + (script[2] ?? '');
    end = start + (script[2]?.length ?? 0);
  }
  return code;
}

/** `new URL('./worker.ts', import.meta.url)`, inside `new Worker(…)` or kept for one. */
function isRelativeUrl(node: ts.NewExpression): boolean {
  const [path, base] = node.arguments ?? [];
  return (
    node.expression.getText() === 'URL' &&
    path !== undefined &&
    ts.isStringLiteralLike(path) &&
    /\.(ts|js|mjs)$/.test(path.text) &&
    base?.getText() === 'import.meta.url'
  );
}

/** The row of the table that a path belongs to. */
function layerOf(path: string): string | undefined {
  return Object.keys(ALLOWED)
    .filter((folder) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** One sentence for every import of a file that its layer does not allow. */
function violationsOf(path: string, text: string): string[] {
  const layer = layerOf(path);
  if (layer === undefined) return [`${path}: no row of tests/imports.test.ts is for its folder.`];
  if (TEST_FILE.test(path)) return [];
  return importsOf(path, text).flatMap(({ line, specifier }) => {
    const complaint = specifier.startsWith('.')
      ? complaintOf(layer, posix.join(posix.dirname(path), specifier))
      : packageComplaintOf(layer, specifier);
    return complaint === undefined ? [] : [`${path}:${line}: ${complaint}.`];
  });
}

/** What is wrong with importing `target`, a path from the root, in `layer`. */
function complaintOf(layer: string, target: string): string | undefined {
  if (TEST_FILE.test(target)) return `${target} is for tests only`;
  const targetLayer = layerOf(target);
  const allowed = ALLOWED[layer] ?? [];
  const mayImport = targetLayer === layer || allowed.includes(targetLayer ?? '');
  if (mayImport || allowed.includes(target)) return undefined;
  if (EVERYTHING.includes(layer)) return undefined;
  const rule = allowed.length > 0 ? allowed.join(', ') : 'no other folder';
  return `${target} may not be imported here; ${layer} may import ${rule}`;
}

function packageComplaintOf(layer: string, specifier: string): string | undefined {
  for (const [name, owner] of Object.entries(OWNERS)) {
    const isIt = specifier === name || specifier.startsWith(`${name}/`);
    if (isIt && owner !== layer) return `only ${owner} may import ${specifier}`;
  }
  return undefined;
}

test('imports follow the layers', () => {
  const exclude = ['**/node_modules/**'];
  const folders = [...new Set(Object.keys(ALLOWED).map((folder) => folder.split('/')[0]))];
  const files = folders.flatMap((folder) =>
    globSync(`${folder}/**/*.{ts,js,mjs,svelte}`, { cwd: root, exclude }),
  );
  assert.ok(files.length > 20, `only ${files.length} source files were found in ${root}`);
  const violations = files
    .map((file) => file.split(sep).join('/'))
    .flatMap((file) => violationsOf(file, readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(violations, [], `\n${violations.join('\n')}\n`);
});

test('an import that its layer does not allow is found, in whatever form', () => {
  const text = `import { a } from '../graph/graph.ts';
import type { Store } from '../store/database.ts';
export { run } from '../jobs/queue.ts';
const view = await import('../../renderer/view.ts');
new Worker(new URL('../api/worker.ts', import.meta.url));
type T = import('../server/http.ts').T;
import Database from 'better-sqlite3';
import { fake } from '../graph/testing/fake.ts';
`;
  const rule = 'core/train may import core/model, core/data, core/graph, core/contract.';
  assert.deepEqual(violationsOf('core/train/loop.ts', text), [
    `core/train/loop.ts:2: core/store/database.ts may not be imported here; ${rule}`,
    `core/train/loop.ts:3: core/jobs/queue.ts may not be imported here; ${rule}`,
    `core/train/loop.ts:4: renderer/view.ts may not be imported here; ${rule}`,
    `core/train/loop.ts:5: core/api/worker.ts may not be imported here; ${rule}`,
    `core/train/loop.ts:6: core/server/http.ts may not be imported here; ${rule}`,
    'core/train/loop.ts:7: only core/store may import better-sqlite3.',
    'core/train/loop.ts:8: core/graph/testing/fake.ts is for tests only.',
  ]);
});

test('a row may allow a single file, and a nested folder has its own row', () => {
  const random = "import { hash } from '../graph/random.ts';";
  assert.deepEqual(violationsOf('core/data/batches.ts', random), []);
  assert.equal(violationsOf('core/data/batches.ts', "import '../graph/plan.ts';").length, 1);
  assert.deepEqual(violationsOf('core/server/cli/golden.ts', "import '../../model/a.ts';"), []);
  assert.equal(violationsOf('core/server/http.ts', "import '../model/a.ts';").length, 1);
  assert.equal(violationsOf('core/server/http.ts', "import './cli/main.ts';").length, 1);
  assert.equal(violationsOf('elsewhere/a.ts', '').length, 1);
});

test('the scripts of a Svelte component are read, on their own lines', () => {
  const component = `<p>import '../core/store/runs.ts'</p>
<script lang="ts">
  import { runs } from '../core/store/runs.ts';
</script>`;
  assert.deepEqual(violationsOf('renderer/Runs.svelte', component), [
    'renderer/Runs.svelte:3: core/store/runs.ts may not be imported here; renderer may import core/contract.',
  ]);
});
