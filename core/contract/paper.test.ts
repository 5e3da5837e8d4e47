/**
 * The paper's numbers as they were typed in, against its tables as data. Those are in
 * `../shared/paper` beside the repository; without them these tests are skipped.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { publishedPoints, publishedWallClock, publishedZeroShot } from './paper.ts';
import { paperPresetName, type PaperDataset, type PaperModel } from './paperPresets.ts';
import { presets } from './presets.ts';
import { resolveConfig } from './resolveConfig.ts';

const file = join(import.meta.dirname, '..', '..', '..', 'shared', 'paper', 'tables.json');
const skip = existsSync(file) ? false : `${file} is not there`;
const tables =
  skip === false
    ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>[]>)
    : {};

const printed = (parameters: number): string => `${parameters / 1e6}M`;

void test('every row of tables 1, 2, 3 and 7 is there as printed, in its order', { skip }, () => {
  const rows = [
    'table1_moa_wikitext103',
    'table2_datasets',
    'table3_switchall',
    'table7_rope',
  ].flatMap((name) => tables[name].map(({ note, ...row }) => [name[5], row, note !== undefined]));
  const ours = publishedPoints.map((point) => [
    String(point.table),
    {
      dataset: point.dataset,
      params: printed(point.parameters),
      model: point.model,
      n_heads: point.heads,
      metric: point.value,
      macs: point.macs,
      mem_floats: point.floats,
    },
    point.note?.includes('8 heads of 50') ?? false,
  ]);
  assert.deepEqual(ours, rows);
});

void test('losses are what perplexities and bits per character mean', () => {
  for (const { metric, value, loss, dataset } of publishedPoints) {
    assert.equal(metric, dataset === 'enwik8' ? 'bits-per-character' : 'perplexity');
    const again = metric === 'perplexity' ? Math.exp(loss) : loss / Math.log(2);
    assert.ok(Math.abs(again - value) < 1e-9);
  }
});

void test('wall clock and zero-shot results are as printed', { skip }, () => {
  assert.deepEqual(
    publishedWallClock.map((row) => ({
      params: printed(row.parameters),
      model: row.model,
      ms_per_iter: row.millisecondsPerStep,
      rel_time: row.relativeTime,
      gib: row.gibibytes,
      rel_mem: row.relativeMemory,
      hardware: row.hardware,
    })),
    tables.table5_wallclock,
  );
  const variants = {
    plain: '',
    'mac-matched': ' MAC-matched',
    'shared-selection': ' shared selection',
  };
  assert.deepEqual(
    publishedZeroShot.map((row) => ({
      model: `${row.model}${variants[row.variant]}`,
      params: printed(row.parameters),
      ppl: row.perplexity,
      lambada: row.lambada,
      blimp: row.blimp,
      cbt: row.childrensBook,
    })),
    [...tables.table4_zeroshot_xl_c4, ...tables.table8_zeroshot_rope_c4],
  );
});

interface Table9Line {
  model: PaperModel;
  dataset: PaperDataset;
  position: 'xl' | 'rope';
  n_heads: number;
  params: string;
  d_head: number;
  d_ff: number;
  n_experts: number | null;
  k: number | null;
  T: number;
  n_layers: number;
  clip: number;
  ff_expert_size?: number;
  ff_k?: number;
}

void test('every line of table 9 is a preset', { skip }, () => {
  const lines = tables.table9_hyperparameters as unknown as Table9Line[];
  assert.equal(lines.length, 31);
  for (const line of lines) {
    const name = paperPresetName(
      ...([line.model, line.params, line.n_heads, line.position, line.dataset] as const),
    );
    const preset = presets.find((each) => each.name === name);
    assert.ok(preset, name);
    assert.deepEqual([preset.group, preset.dataset], ['paper', line.dataset]);
    const { model, training, data } = resolveConfig(preset.config);
    assert.deepEqual(
      {
        ...{ heads: model.heads, headWidth: model.headWidth, positions: model.positions },
        ...{ context: model.context, layers: model.layers, clip: training.clip },
      },
      {
        ...{ heads: line.n_heads, headWidth: line.d_head, positions: line.position },
        ...{ context: line.T, layers: line.n_layers, clip: line.clip },
      },
      name,
    );
    assert.equal(model.attention, line.n_experts === null ? 'dense' : 'switchhead');
    if (line.n_experts !== null)
      assert.deepEqual([model.experts, model.activeExperts], [line.n_experts, line.k]);
    if (line.ff_expert_size === undefined)
      assert.deepEqual([model.feedForward, model.feedForwardWidth], ['dense', line.d_ff]);
    else {
      assert.equal(model.feedForwardExpertWidth, line.ff_expert_size);
      assert.equal(model.feedForwardActiveExperts, line.ff_k);
      // The small one has 16 experts in the authors' run files, and 1648 in print.
      const width = model.feedForwardExperts * model.feedForwardExpertWidth;
      assert.equal(width, line.d_ff === 1648 ? 2048 : line.d_ff);
      if (line.d_ff === 1648) assert.match(preset.description, /1648/u);
    }
    assert.equal(training.batch, line.dataset === 'enwik8' ? 32 : 64);
    assert.equal(data.tokenizer, line.dataset === 'enwik8' ? 'byte' : 'bpe:8000');
    const isLarge = Number.parseInt(line.params) > 200;
    assert.deepEqual([training.warmup, model.dropout], isLarge ? [4000, 0.2] : [0, 0.1]);
  }
});

void test('names of presets are unique, and the tiny ones come first', () => {
  assert.equal(new Set(presets.map(({ name }) => name)).size, presets.length);
  const groups = presets.map(({ group }) => group);
  assert.equal(groups.lastIndexOf('tiny') + 1, groups.indexOf('paper'));
});
