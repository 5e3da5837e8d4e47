/** Commands that compute nothing heavy: their output, and every sentence for a wrong call. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Match, Resources } from '../../contract/records.ts';
import { CliUnderTest, parseLines } from './testing/runCli.ts';

const cli = new CliUnderTest();
after(() => cli.remove());

interface WrongCall {
  args: string[];
  code: number;
  says: RegExp;
}

const config = (name: string, content: string): string => cli.write(name, content);

const wrongCalls: Record<string, WrongCall> = {
  'an unknown command names the nearest': {
    args: ['trian'],
    code: 2,
    says: /^There is no command "trian"\. Did you mean "train"\?/u,
  },
  'an unknown option names the nearest': {
    args: ['runs', '--jsn'],
    code: 2,
    says: /^Unknown option '--jsn'\. \(Did you mean --json\?\)\n$/u,
  },
  'a missing argument': {
    args: ['resources'],
    code: 2,
    says: /^Missing required argument 'config'/u,
  },
  'a missing option': { args: ['train', 'tiny-dense'], code: 2, says: /^Required option '--data/u },
  'a value that is no number': {
    args: ['train', 'tiny-dense', '--data', 'x', '--steps', 'many'],
    code: 2,
    says: /'many' is invalid\. It must be a whole number of at least 1\./u,
  },
  'an unknown preset names the nearest': {
    args: ['resources', 'tiny-switchal'],
    code: 1,
    says: /^There is no preset "tiny-switchal"\. The nearest is "tiny-switchall"\./u,
  },
  'an unknown setting names the nearest': {
    args: ['resources', 'tiny-dense', '--set', 'layer=2'],
    code: 1,
    says: /^Unknown configuration key "layer"\. The nearest known one is "(model\.)?layers"/u,
  },
  'a setting out of bounds': {
    args: ['resources', 'tiny-switchhead', '--set', 'activeExperts=5'],
    code: 1,
    says: /^model\.activeExperts \(k\) is 5, but a head has only 4 /u,
  },
  'an unknown backend': {
    args: ['bench', 'tiny-dense', '--backend', 'wsm'],
    code: 2,
    says: /Did you mean wasm\?/u,
  },
  'half precision on a backend without it': {
    args: ['train', 'tiny-dense', '--data', 'x', '--precision', 'f16', '--backend', 'wasm'],
    code: 1,
    says: /^Half precision .* needs the backend webgpu, on a GPU that has it; wasm computes in single precision\./u,
  },
  'a benchmark in half precision on a backend without it': {
    args: ['bench', 'tiny-dense', '--set', 'precision=f16', '--backend', 'cpu'],
    code: 1,
    says: /^Half precision .* needs the backend webgpu, on a GPU that has it; cpu computes in single precision\./u,
  },
  'an unknown precision': {
    args: ['train', 'tiny-dense', '--data', 'x', '--precision', 'f8'],
    code: 2,
    says: /'f8' is invalid\. Allowed choices are f32, f16\./u,
  },
  'a configuration file that is not there': {
    args: ['resources', 'nowhere.json'],
    code: 1,
    says: /^There is no file nowhere\.json\.\n$/u,
  },
  'a configuration that is not JSON': {
    args: ['resources', config('broken.json', '{\n  "model": {\n    "layers": 2,\n  }\n}\n')],
    code: 1,
    says: /^broken\.json is not JSON: .*\(line 4 column 3\)\.\n$/u,
  },
  'a configuration that is no object': {
    args: ['resources', config('list.json', '[1]')],
    code: 1,
    says: /^A configuration is an object/u,
  },
  'a group that is no object': {
    args: ['resources', config('three.json', '{"model": 3}'), '--set', 'layers=2'],
    code: 1,
    says: /^model is 3, but must be an object\.\n$/u,
  },
  'a misspelt group': {
    args: ['resources', config('group.json', '{"modle": {}}'), '--set', 'layers=2'],
    code: 1,
    says: /^Unknown configuration group "modle"\. The nearest known one is "model"/u,
  },
  'data that is nothing': {
    args: ['train', 'tiny-dense', '--data', 'nothing'],
    code: 1,
    says: /^--data "nothing" is neither a text file \(there is no file .*nothing\) nor an imported dataset \(there are none yet\)\.\n$/u,
  },
  'an empty text': {
    args: ['import', config('empty.txt', '')],
    code: 1,
    says: /empty\.txt.* is empty/u,
  },
  'a binary file as text': {
    args: ['import', cli.write('binary.txt', Uint8Array.of(0, 255, 254, 0, 200, 201))],
    code: 1,
    says: /binary\.txt/u,
  },
  'one name for two files': {
    args: ['import', 'a.txt', 'b.txt', '--name', 'both'],
    code: 2,
    says: /^--name names one dataset, but 2 files are given/u,
  },
  'an unknown run': { args: ['compare', 'nobody'], code: 1, says: /^There is no run "nobody"/u },
  'an unknown export format': {
    args: ['export', 'x', '--format', 'hf', '--out', 'y'],
    code: 2,
    says: /'hf' is invalid\. Allowed choices are safetensors, csv\./u,
  },
  'several runs as weights': {
    args: ['export', 'a', 'b', '--format', 'safetensors', '--out', 'y'],
    code: 2,
    says: /^--format safetensors exports one run, but 2 are given/u,
  },
  'golden files that are not there': {
    args: ['golden', 'no.safetensors', 'no.json', '--backend', 'reference'],
    code: 1,
    says: /^Cannot read .*no\.json: there is no such file or folder\.\n$/u,
  },
  'a folder as golden cases': {
    args: ['golden', 'no.safetensors', '.', '--backend', 'reference'],
    code: 1,
    says: /: it is a folder, not a file\.\n$/u,
  },
  'a preset like none': {
    args: ['resources', 'nope'],
    code: 1,
    says: /^There is no preset "nope"\. Presets: tiny-dense/u,
  },
  'a baseline that is not dense': {
    args: ['match', 'tiny-switchhead', '--family', 'moa'],
    code: 1,
    says: /^The baseline has model\.attention "switchhead", but models are matched with a dense one/u,
  },
  'a match without a family': {
    args: ['match', 'tiny-dense'],
    code: 2,
    says: /^Required option '--family/u,
  },
  'a backend like none': {
    args: ['bench', 'tiny-dense', '--backend', 'vulkan'],
    code: 2,
    says: /Backends: webgpu, tensorflow, wasm, cpu, reference\.\n$/u,
  },
  'a setting in the wrong group': {
    args: ['resources', 'tiny-dense', '--set', 'model.steps=2'],
    code: 1,
    says: /"steps" is a field of the group training\.\n$/u,
  },
  'an unset variable as the home': {
    args: ['runs', '--home', ''],
    code: 2,
    says: /^Option '--home <DIR>' argument '' is invalid\. It must not be empty\.\n$/u,
  },
  'an empty prompt': {
    args: ['sample', 'x', '--prompt', ''],
    code: 2,
    says: /^Option '--prompt <TEXT>' argument '' is invalid\. It must not be empty\.\n$/u,
  },
  'a figure of another format': {
    args: ['compare', 'x', '--png', 'curves.svg'],
    code: 2,
    says: /^--png draws a PNG image, but "curves\.svg" ends in \.svg\. Choose/u,
  },
};

describe('wrong calls', () => {
  for (const [name, { args, code, says }] of Object.entries(wrongCalls))
    test(name, async () => {
      const result = await cli.run(...args);
      assert.match(result.stderr, says);
      assert.doesNotMatch(result.stderr, /\n {4}at /u, 'no stack trace');
      assert.equal(result.stdout, '');
      assert.equal(result.code, code);
    });

  test('with --json the error is a record on stdout', async () => {
    const result = await cli.run('compare', 'nobody', '--json');
    const [record, ...more] = parseLines(result.stdout);
    assert.equal(more.length, 0);
    assert.equal(record.type, 'error');
    assert.equal(record.code, 'not-found');
    assert.match(String(record.message), /nobody/u);
    assert.equal(result.stderr, '');
    assert.equal(result.code, 1);
  });

  test('with --json a usage error is a record too', async () => {
    const { code, stdout } = await cli.run('--json', 'trian');
    assert.equal(parseLines(stdout)[0].type, 'error');
    assert.equal(code, 2);
  });
});

test('help lists the commands', async () => {
  const stdout = await cli.succeed('--help');
  assert.match(stdout, /Usage: switchyard \[options\] \[command\]/u);
  assert.match(stdout, /^ {2}serve /mu);
});

test('help of a command lists the settings with their defaults', async () => {
  const stdout = await cli.succeed('train', '--help');
  assert.match(stdout, /learningRate=0\.003 +Learning rate: above 0 to 10$/mu);
  assert.match(stdout, /attention=switchhead +Attention: dense, switchhead or moa$/mu);
  assert.match(stdout, /context=128 +Context \(T\), tokens: 2 to 65,536$/mu);
  assert.match(stdout, /--home <DIR>/u);
});

test('presets, for people by group and as records', async () => {
  const stdout = await cli.succeed('presets');
  assert.match(stdout, /^Tiny: minutes on a laptop\n {2}tiny-dense +Dense attention/u);
  assert.match(stdout, /\nSwitchHead paper, C4\n {2}transformer-47m-xl-c4 /u);
  const records = await cli.records('presets');
  assert.deepEqual(
    records.slice(0, 3).map(({ type, name, group }) => [type, name, group]),
    ['tiny-dense', 'tiny-switchhead', 'tiny-switchall'].map((name) => ['preset', name, 'tiny']),
  );
  assert.ok(records.some(({ name, dataset }) => name === 'moa-47m-h4-xl-wikitext103' && dataset));
});

test('resources: the numbers of a configuration, from a preset, a file and settings', async () => {
  const [dense] = await cli.records('resources', 'tiny-dense');
  assert.deepEqual(dense.parameters, {
    embedding: 32768,
    projections: 262144,
    selection: 0,
    positions: 0,
    feedForward: 526848,
    normalisation: 2304,
    output: 33024,
    total: 857088,
  });
  // H (4 T P D + 2 T^2 P) and H (4 T P + 2 T^2), T = D = 128, H = 8, P = 16.
  const { layer } = dense as unknown as Resources;
  assert.deepEqual(layer.attention, { macs: 12_582_912, floats: 327_680 });

  const stdout = await cli.succeed('resources', 'tiny-dense');
  assert.match(stdout, /^tiny-dense: dense H8, 4 layers of 128 channels, vocabulary 256\n/u);
  assert.match(stdout, /total +197,760 +857,088 +100\.0 %/u);
  assert.match(stdout, /^attention +12\.6M +327,680 +50\.3M +1\.31M$/mu);

  const file = config(
    'mine.json',
    '{"model": {"attention": "dense", "heads": 8, "headWidth": 16}}',
  );
  const settings = ['--set', 'layers=2', 'width=64', '--set', 'width=128'];
  const [mine] = await cli.records('resources', file, ...settings, '--vocabulary', '1000');
  assert.equal(mine.name, 'mine');
  const { parameters } = mine as unknown as Resources;
  assert.deepEqual([parameters.embedding, parameters.projections], [128_000, 131_072]);

  const [classifier] = await cli.records('resources', 'tiny-listops-dense-8');
  assert.equal(classifier.vocabulary, 18);
});

test('match: a configuration that costs what a baseline costs, to look at and to train', async () => {
  const stdout = await cli.succeed(
    ...['match', 'tiny-dense', '--family', 'switchhead', '--by', 'macs', '--out', 'matched.json'],
  );
  assert.match(stdout, /SwitchHead H3 E4 k2/u);
  assert.match(stdout, /From there H 2 → 3/u);
  assert.match(stdout, /more parameters than the baseline/u);
  const [found] = await cli.records('match', 'tiny-dense', '--family', 'moa', '--heads', '4');
  const { unmatched, notes } = found as unknown as Match;
  assert.ok(Math.abs(unmatched.parameters) < 1000 && notes.length > 0);
  const [written] = await cli.records('resources', 'matched.json');
  assert.equal(written.name, 'matched');
});

test('a text is imported once, listed, and found again', async () => {
  const text = cli.write('text.txt', 'To be, or not to be, that is the question.\n'.repeat(50));
  const [first] = (await cli.records('import', text)).slice(-1);
  const [again] = (await cli.records('import', text)).slice(-1);
  assert.equal(first.type, 'dataset');
  assert.equal(again.id, first.id);
  assert.equal(Number(first.trainTokens) + Number(first.validationTokens), 43 * 50);
  const listed = await cli.records('datasets');
  assert.deepEqual(
    listed.map(({ id }) => id),
    [first.id],
  );
  assert.match(await cli.succeed('datasets'), /text +byte +256 +1,935 +215/u);
  const renamed = await cli.run('import', text, '--name', 'other');
  assert.equal(renamed.code, 0);
  assert.match(renamed.stderr, /^This text was imported before, as "text"; the name stays/u);
});

test('no runs yet: says how to start one', async () => {
  assert.match(await cli.succeed('runs'), /^No runs yet\. Start one: switchyard train /u);
  assert.equal(await cli.succeed('runs', '--json'), '');
});

test('a reader that leaves early ends the command quietly', async () => {
  const { child, finished } = cli.start('train', '--help');
  child.stdout.destroy();
  const { code, stderr } = await finished;
  assert.equal(stderr, '');
  assert.equal(code, 0);
});
