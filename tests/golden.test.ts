/**
 * Golden numbers, by the command that people use: the authors' own, which lie in `../shared/golden`
 * beside the repository (skipped where they do not, the product does not need them), and a pair of
 * other sizes from an independent implementation (benchmarks/golden).
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
interface Pair {
  readonly tensors: string;
  readonly cases: string;
  /** How many cases it has. */
  readonly count: number;
}

const pairAt = (path: string, count: number): Pair => ({
  tensors: `${path}.safetensors`,
  cases: `${path}.json`,
  count,
});
const authors = pairAt(join(repository, '..', 'shared', 'golden', 'golden'), 19);
const other = pairAt(join(repository, 'core', 'analyse', 'golden', 'testing', 'other'), 34);
const absent = existsSync(authors.tensors) ? false : `${authors.tensors} is not there`;

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

/**
 * A software adapter takes some twenty seconds to compile the kernels of a case. There these run, which
 * have most kernels between them; SWITCHYARD_ALL_CASES runs all.
 */
const softwareCases = ['lm_switchall_xl_two_chunks', 'moa_my_sigmoid_h1e7'];

for (const { backend, available, reason, gpu } of await listDevices()) {
  const all = gpu?.software !== true || process.env['SWITCHYARD_ALL_CASES'] !== undefined;
  for (const [whose, pair, skip] of [
    ['the authors’ code', authors, all ? absent : 'on a software adapter it takes too long'],
    ['an independent implementation in other sizes', all ? other : part(other), false],
  ] as const)
    void test(
      `${backend} agrees with ${whose} in ${all ? 'every case' : 'some cases'}`,
      { skip: skip || (available ? false : reason) },
      async () => {
        const { code, results, output } = await check(pair.tensors, pair.cases, backend);
        const failed = [...results].filter(([, { result }]) => result !== 'passed');
        assert.deepEqual(failed, []);
        assert.equal(results.size, pair.count, output);
        assert.equal(code, 0);
      },
    );
}

/** The same tensors with the cases for a software adapter. */
function part({ tensors, cases }: Pair): Pair {
  const read = JSON.parse(readFileSync(cases, 'utf8')) as Record<string, unknown>;
  const chosen = softwareCases.map((name) => [name, read[name]] as const);
  const path = join(folder, 'part.json');
  writeFileSync(path, JSON.stringify(Object.fromEntries(chosen)));
  return { tensors, cases: path, count: chosen.length };
}

/** The tensors of the pair of other sizes with some replaced or left out: the path of the file. */
function altered(name: string, change: (tensor: NamedTensor) => NamedTensor | undefined): string {
  const file = openSafetensors(other.tensors);
  const changed: NamedTensor[] = [];
  for (const [tensorName, { dtype, shape }] of file.tensors) {
    assert.ok(dtype === 'F32' || dtype === 'I32');
    const data = file.read(tensorName);
    const tensor = change({ name: tensorName, dtype, shape: [...shape], data });
    if (tensor !== undefined) changed.push(tensor);
  }
  file.close();
  const path = join(folder, `${name}.safetensors`);
  writeSafetensors(path, changed);
  return path;
}

void test('a wrong number fails its case, names the tensor, and the exit code is 1', async () => {
  const wrong = altered('wrong', (tensor) => {
    if (tensor.name !== 'sigma_moe_e5k1.grad.keys') return tensor;
    const data = Float32Array.from(tensor.data as Float32Array);
    data[5] += 1e-3;
    return { ...tensor, data };
  });
  const { code, results } = await check(wrong, other.cases, 'reference');
  assert.equal(results.get('sigma_moe_e5k1')?.result, 'failed');
  assert.match(results.get('sigma_moe_e5k1')?.detail ?? '', /grad\.keys/u);
  assert.equal(results.get('lm_dense_rope')?.result, 'passed');
  assert.equal(code, 1);
});

void test('a missing tensor fails its case and is named, whichever it is', async () => {
  const missing: Readonly<Record<string, string>> = {
    sigma_moe_e5k1: 'param.values',
    sigma_moe_e3k3: 'output_cotangent',
    switchhead_rope_h1e7k1: 'param.sel_v',
    switchhead_xl_nocache_h1e7k1: 'param.pos_to_pk',
    switchhead_xl_k: 'param.selections.k',
    switchhead_xl_q: 'input.1',
    switchhead_xl_v: 'param.projections.v',
    switchhead_xl_shared_sel_kvo: 'param.selections.o',
    dense_xl_h1: 'param.global_content_bias',
    dense_xl_h3: 'grad.scale',
    moa_my_sigmoid_h1e7: 'param.sel_dst',
    lm_dense_rope: 'param.unique_layers.0.linear1.bias',
    lm_dense_xl_two_chunks: 'param.unique_layers.2.self_attn.pos_to_pq.weight',
    lm_switchhead_xl_h1e7k1: 'tokens',
    lm_moa_xl_softmax: 'logits_chunk1',
    lm_switchall_xl_two_chunks: 'param.unique_layers.1.pkm.expert_sel',
  };
  const names = new Set(Object.entries(missing).map(([name, tensor]) => `${name}.${tensor}`));
  const path = altered('missing', (tensor) => (names.has(tensor.name) ? undefined : tensor));
  const { code, results } = await check(path, other.cases, 'reference');
  for (const [name, tensor] of Object.entries(missing)) {
    const { result, detail } = results.get(name) ?? { result: 'absent', detail: '' };
    assert.equal(result, 'failed', `${name} without ${tensor}`);
    assert.ok(
      detail.includes(tensor.replace('param.', '')),
      `${name} without ${tensor}: ${detail}`,
    );
    assert.match(detail, /is missing|has no tensor/u);
  }
  const passed = [...results.values()].filter(({ result }) => result === 'passed').length;
  assert.equal(passed, other.count - names.size);
  assert.equal(code, 1);
});

void test('sizes and tensors that do not fit fail their case with what would be right', async () => {
  const file = join(folder, 'sizes.json');
  const cases = JSON.parse(readFileSync(other.cases, 'utf8')) as Record<string, object>;
  const changes: Readonly<Record<string, readonly [object | null, RegExp]>> = {
    sigma_moe_e5k1: [null, /must be an object with its sizes, not null/u],
    sigma_moe_e3k3: [
      { d_model: 1e15 },
      /"d_model".*whole number from 1 to \d+, not 1000000000000000/u,
    ],
    switchhead_rope_h1e7k1: [
      { n_experts: 1e9 },
      /sel_v" has \d+ values where 13000000000 are needed/u,
    ],
    switchhead_xl_k: [{ n_heads: -1 }, /"n_heads".*from 1 to .*, not -1/u],
    switchhead_xl_v: [{ k: 99 }, /k must be at most E/u],
    switchhead_xl_q: [{ d_model: 3 }, /input\.0" must be \[B, T, 3\]/u],
    dense_xl_h1: [{ d_head: 0 }, /"d_head".*not 0/u],
    lm_dense_rope: [{ mem_chunks: 1 }, /global_content_bias/u],
    lm_dense_xl_two_chunks: [{ n_layers: 1e9 }, /"n_layers".*from 1 to 256/u],
    lm_switchhead_xl_h1e7k1: [{ vocab: 2 }, /a token \d+, but with a vocabulary of 2/u],
    lm_switchall_xl_two_chunks: [{ T: 1e6 }, /"tokens" has 37 values, but 10 chunks need/u],
  };
  const names = Object.keys(changes);
  const changed = names.map((name) => {
    const [change] = changes[name];
    return [name, change && { ...cases[name], ...change }] as const;
  });
  writeFileSync(
    file,
    JSON.stringify({
      ...Object.fromEntries(changed),
      moa_my_sigmoid_h1e7: cases['moa_my_sigmoid_h1e7'],
    }),
  );
  const { code, results, output } = await check(other.tensors, file, 'wasm');
  assert.doesNotMatch(output, /\n\s+at /u);
  for (const name of names) {
    const { result, detail } = results.get(name) ?? { result: 'absent', detail: '' };
    assert.equal(result, 'failed', name);
    assert.match(detail, changes[name][1], name);
  }
  assert.equal(results.get('moa_my_sigmoid_h1e7')?.result, 'passed');
  assert.equal(code, 1);
});

void test('a json without cases is refused: nothing would have been checked', async () => {
  const empty = join(folder, 'empty.json');
  writeFileSync(empty, '{}');
  const { code, output } = await check(other.tensors, empty, 'reference');
  assert.equal(code, 1);
  assert.match(output, /empty\.json must hold an object with one entry per case/u);
});

void test('files that cannot be read are one sentence and exit code 1', async () => {
  const cut = join(folder, 'cut.safetensors');
  copyFileSync(other.tensors, cut);
  truncateSync(cut, 100_000);
  const truncated = await check(cut, other.cases, 'reference');
  assert.equal(truncated.code, 1);
  assert.match(truncated.output, /cut\.safetensors is not a usable safetensors file/u);
  const broken = join(folder, 'broken.json');
  writeFileSync(broken, readFileSync(other.cases, 'utf8').slice(0, 500));
  const unreadable = await check(other.tensors, broken, 'reference');
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.output, /broken\.json cannot be read as JSON/u);
});
