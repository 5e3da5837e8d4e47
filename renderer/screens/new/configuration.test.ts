import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../core/contract/records.ts';
import { presets } from '../../../core/contract/presets.ts';
import { resolveConfig } from '../../../core/contract/resolveConfig.ts';
import {
  differences,
  fieldsOf,
  fromJson,
  otherTask,
  read,
  sectionsOf,
  textOf,
  toJson,
} from './configuration.ts';

const base = resolveConfig(presets.find(({ name }) => name === 'tiny-switchhead')?.config);
const bytes = { name: 'Shakespeare', tokenizer: 'byte', validationShare: 0.1 } as Dataset;

test('what is not touched is as in the configuration started from', () => {
  const reading = read(base, {});
  assert.deepEqual(reading.config, base);
  assert.deepEqual(reading.changed, []);
});

test('numbers may be written as people write them', () => {
  const { config, changed } = read(base, {
    'training.learningRate': ' 3e-4 ',
    'training.steps': '1e3',
    'training.clip': '1.0',
  });
  assert.equal(config?.training.learningRate, 3e-4);
  assert.equal(config.training.steps, 1000);
  // 1.0 is the 1 that was there.
  assert.deepEqual(changed, ['training.steps', 'training.learningRate']);
});

test('a value that is not usable is explained at its field, with all others', () => {
  const { config, errors } = read(base, {
    'model.width': '12.5',
    'training.batch': '1,000',
    'training.seed': '',
  });
  assert.equal(config, null);
  assert.equal(
    errors['model.width'],
    'Model width (D) is 12.5, but must be a whole number from 4 to 16384.',
  );
  assert.match(errors['training.batch'], /"1,000".*from 1 to 4096/u);
  assert.match(errors['training.seed'], /""/u);
});

test('a combination that is not usable is explained at a field that it names', () => {
  const { config, errors } = read(base, { 'model.activeExperts': '5' });
  assert.equal(config, null);
  assert.equal(
    errors['model.activeExperts'],
    'Active attention experts (k) is 5, but a head has only 4 (Attention experts (E)); k must be at most E.',
  );
});

test('one mistake does not hide another, nor combinations of the fields that are usable', () => {
  const { config, errors } = read(base, { 'training.steps': 'many', 'model.headWidth': '50' });
  assert.equal(config, null);
  assert.match(errors['training.steps'], /"many"/u);
  assert.match(errors['model.headWidth'], /^Head width \(P\) is 50: RoPE/u);
  // Whether 5 of them can be active is not known while their number is not.
  const unknown = read(base, { 'model.experts': '', 'model.activeExperts': '5' });
  assert.deepEqual(Object.keys(unknown.errors), ['model.experts']);
});

test('a warm-up that is longer than the run is warned of, not refused', () => {
  const longer = read(base, { 'training.warmup': '1500', 'training.steps': '1200' });
  assert.match(longer.warnings['training.warmup'], /run of 1,200 steps/u);
  assert.equal(longer.config?.training.warmup, 1500);
  assert.deepEqual(read(base, { 'training.warmup': '600' }).warnings, {});
  assert.deepEqual(read(base, { 'training.warmup': '1500', 'training.steps': '' }).warnings, {});
});

test('fields without effect are not shown and their text changes nothing', () => {
  const { config, shown, errors, changed } = read(base, {
    'model.attention': 'dense',
    'model.experts': 'many',
  });
  assert.equal(shown.has('model.experts'), false);
  assert.equal(shown.has('model.feedForwardWidth'), true);
  assert.deepEqual(errors, {});
  assert.deepEqual(changed, ['model.attention']);
  assert.equal(config?.model.experts, base.model.experts);
});

test('fields stand with what they hang on, each once', () => {
  const sections = sectionsOf('model');
  assert.deepEqual(
    sections.map(({ title }) => title),
    [null, 'Attention', 'Positions', 'Feed-forward'],
  );
  const names = sections.flatMap((section) => section.fields.map(({ name }) => name));
  assert.deepEqual(
    names.toSorted(),
    fieldsOf('model')
      .map(({ name }) => name)
      .toSorted(),
  );
  const [, attention] = sections;
  assert.ok(attention.fields.some(({ key }) => key === 'zLoss'));
  assert.deepEqual(
    sectionsOf('training').map(({ title }) => title),
    [null],
  );
});

test('another task is typed with what it demands of the others', () => {
  const xl = resolveConfig({ model: { positions: 'xl', memoryChunks: 2 } });
  const { config, errors } = read(xl, otherTask('classification'));
  assert.deepEqual(errors, {});
  assert.equal(config?.model.task, 'classification');
  assert.equal(config.model.memoryChunks, 0);
  assert.equal(read(base, otherTask('classification')).config?.model.task, 'classification');
});

test('every value survives becoming text and being read again', () => {
  const other = resolveConfig({
    model: { dropout: 0.1, width: 4096 },
    training: { learningRate: 2.5e-7, epsilon: 1e-15, seed: 4294967295 },
  });
  assert.deepEqual(read(base, differences(base, other)).config, other);
  const epsilon = fieldsOf('training').find(({ key }) => key === 'epsilon');
  assert.equal(epsilon && textOf(other, epsilon), '1e-15');
});

test('a configuration goes out as JSON and comes back the same', () => {
  assert.deepEqual(fromJson(toJson(base, bytes), bytes), base);
});

test('pasted JSON is refused with what is wrong with it', () => {
  assert.throws(() => fromJson('model: 3', bytes), /not JSON/u);
  assert.throws(() => fromJson('{"model": {"widht": 8}}', bytes), /nearest known one is/u);
  assert.throws(
    () => fromJson('{"data": {"tokenizer": "bpe:8000"}}', bytes),
    /“Shakespeare” was imported with "byte"/u,
  );
});
