/**
 * The authors' golden numbers, by the command that people use. Needs `../shared/golden` beside the
 * repository; without it these tests are skipped, the product does not need it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { listDevices } from '../core/backends/devices.ts';
import { openSafetensors, writeSafetensors, type NamedTensor } from '../core/data/safetensors.ts';

const repository = dirname(import.meta.dirname);
const golden = join(repository, '..', 'shared', 'golden');
const tensors = join(golden, 'golden.safetensors');
const cases = join(golden, 'golden.json');
const absent = existsSync(tensors) ? false : `${tensors} is not there`;

const folder = mkdtempSync(join(tmpdir(), 'switchyard-golden-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Checked {
  code: number;
  results: Map<string, { result: string; detail: string }>;
  output: string;
}

function check(tensorsPath: string, casesPath: string, backend: string): Promise<Checked> {
  const cli = join(repository, 'core', 'server', 'cli', 'main.ts');
  const args = [cli, 'golden', tensorsPath, casesPath, '--backend', backend, '--json'];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { env: { ...process.env, SWITCHYARD_HOME: folder } },
      (error, stdout, stderr) => {
        const records = stdout
          .split('\n')
          .filter(Boolean)
          .map(
            (line) =>
              JSON.parse(line) as { type: string; name?: string; result: string; detail: string },
          );
        const results = new Map(
          records.flatMap((record) =>
            record.name === undefined ? [] : [[record.name, record] as const],
          ),
        );
        resolve({
          code: typeof error?.code === 'number' ? error.code : 0,
          results,
          output: stdout + stderr,
        });
      },
    );
  });
}

const supported = [
  'switchhead_rope_h2e4k2',
  'switchhead_rope_h3e5k3',
  'sigma_moe',
  'lm_dense_rope',
  'lm_switchhead_rope',
];

for (const { backend, available, reason } of await listDevices()) {
  void test(
    `${backend} agrees with the authors’ code on every RoPE case`,
    { skip: absent || (available ? false : reason) },
    async () => {
      const { code, results, output } = await check(tensors, cases, backend);
      for (const name of supported)
        assert.equal(results.get(name)?.result, 'passed', `${name}: ${results.get(name)?.detail}`);
      const others = [...results].filter(([name]) => !supported.includes(name));
      assert.ok(
        others.length > 0 && others.every(([, { result }]) => result === 'unsupported'),
        output,
      );
      assert.equal(code, 0);
    },
  );
}

/** The golden tensors with some replaced or left out. */
function altered(name: string, change: (tensor: NamedTensor) => NamedTensor | undefined): string {
  const file = openSafetensors(tensors);
  const changed: NamedTensor[] = [];
  for (const [tensorName, { dtype, shape }] of file.tensors) {
    if (dtype !== 'F32' && dtype !== 'I32') continue;
    const tensor = change({
      name: tensorName,
      dtype,
      shape: [...shape],
      data: file.read(tensorName),
    });
    if (tensor !== undefined) changed.push(tensor);
  }
  file.close();
  const path = join(folder, `${name}.safetensors`);
  writeSafetensors(path, changed);
  return path;
}

void test(
  'a wrong number fails its case, names the tensor, and the exit code is 1',
  { skip: absent },
  async () => {
    const wrong = altered('wrong', (tensor) => {
      if (tensor.name !== 'sigma_moe.grad.keys') return tensor;
      const data = Float32Array.from(tensor.data as Float32Array);
      data[5] += 1e-3;
      return { ...tensor, data };
    });
    const { code, results } = await check(wrong, cases, 'reference');
    assert.equal(results.get('sigma_moe')?.result, 'failed');
    assert.match(results.get('sigma_moe')?.detail ?? '', /grad\.keys/u);
    assert.equal(results.get('lm_dense_rope')?.result, 'passed');
    assert.equal(code, 1);
  },
);

void test('a missing tensor fails its case and is named', { skip: absent }, async () => {
  const missing = altered('missing', (tensor) =>
    ['sigma_moe.param.values', 'lm_dense_rope.param.unique_layers.1.linear1.bias'].includes(
      tensor.name,
    )
      ? undefined
      : tensor,
  );
  const { code, results } = await check(missing, cases, 'reference');
  assert.match(
    results.get('sigma_moe')?.detail ?? '',
    /layer\.values is missing: expected .*"values"/u,
  );
  assert.match(results.get('lm_dense_rope')?.detail ?? '', /"unique_layers\.1\.linear1\.bias"/u);
  assert.equal(results.get('sigma_moe')?.result, 'failed');
  assert.equal(code, 1);
});

void test(
  'files that cannot be read are one sentence and exit code 1',
  { skip: absent },
  async () => {
    const cut = join(folder, 'cut.safetensors');
    copyFileSync(tensors, cut);
    truncateSync(cut, 100_000);
    const truncated = await check(cut, cases, 'reference');
    assert.equal(truncated.code, 1);
    assert.match(truncated.output, /cut\.safetensors is not a usable safetensors file/u);
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, readFileSync(cases, 'utf8').slice(0, 500));
    const unreadable = await check(tensors, broken, 'reference');
    assert.equal(unreadable.code, 1);
    assert.match(unreadable.output, /broken\.json cannot be read as JSON/u);
  },
);
