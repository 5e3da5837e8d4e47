import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwitchyardError } from './errors.ts';
import { presets } from './presets.ts';
import {
  applySettings,
  combinationProblems,
  completeConfig,
  fieldNames,
  resolveConfig,
} from './resolveConfig.ts';

function refused(config: unknown, message: RegExp): void {
  assert.throws(
    () => resolveConfig(config),
    (error: unknown) => {
      assert.ok(error instanceof SwitchyardError && error.code === 'invalid-config');
      assert.match(error.message, message);
      return true;
    },
  );
}

void test('an empty configuration is valid and complete', () => {
  const config = resolveConfig({});
  assert.equal(config.model.attention, 'switchhead');
  for (const name of fieldNames()) {
    const [group, key] = name.split('.');
    assert.notEqual((config as Record<string, Record<string, unknown>>)[group][key], undefined);
  }
});

void test('every preset is valid', () => {
  for (const { config } of presets) resolveConfig(config);
});

void test('unknown keys name the nearest known one', () => {
  refused(
    { model: { hedas: 2 } },
    /Unknown configuration key "model\.hedas"\. The nearest known one is "model\.heads"/u,
  );
  refused({ modle: {} }, /Unknown configuration group "modle"\. The nearest known one is "model"/u);
});

void test('a field in another group, or in none, is told where it belongs', () => {
  refused(
    { model: { steps: 3 } },
    /key "model\.steps": "steps" is a field of the group training\.$/u,
  );
  refused({ layers: 3 }, /group "layers": "layers" is a field of the group model\.$/u);
  assert.throws(() => applySettings({}, ['training.context=3']), {
    message:
      'Unknown configuration key "training.context": "context" is a field of the group model.',
  });
});

void test('values of the wrong type or range say what would be right', () => {
  refused(
    { model: { layers: 1.5 } },
    /model\.layers is 1\.5, but must be a whole number from 1 to 256/u,
  );
  refused(
    { training: { learningRate: 0 } },
    /training\.learningRate is 0, but must be a number greater than 0/u,
  );
  refused({ training: { learningRate: '3e-3' } }, /is "3e-3", but must be a number/u);
  refused({ model: { attention: 'sparse' } }, /must be one of "dense", "switchhead"/u);
  refused({ data: { tokenizer: 'bpe' } }, /must be "byte", "listops", or "bpe:N"/u);
  refused({ training: { seed: -1 } }, /training\.seed is -1/u);
  refused({ training: { clip: Infinity } }, /training\.clip is Infinity \(not a finite number\)/u);
  refused({ model: null }, /model is null, but must be an object/u);
  refused({ model: [] }, /model is \[\], but must be an object/u);
  refused([], /object with the groups/u);
});

void test('impossible combinations say which constraint failed and what would satisfy it', () => {
  refused(
    { model: { experts: 4, activeExperts: 5 } },
    /activeExperts \(k\) is 5, but a head has only 4 .*k must be at most E/u,
  );
  refused({ model: { headWidth: 50 } }, /floor\(P\/2\) = 25.*48 and 52 are valid/u);
  refused(
    { model: { feedForward: 'sigma-moe', feedForwardExperts: 2, feedForwardActiveExperts: 3 } },
    /feedForwardActiveExperts \(k\) is 3/u,
  );
  refused(
    { model: { attention: 'moa', heads: 5, experts: 4 } },
    /heads \(H\) is 5, but MoA chooses them from only 4 .*H must be at most E/u,
  );
  refused(
    { model: { selection: 'shared', expertProjections: 'qo' } },
    /selection is "shared", but only one side has experts .*"separate", or add experts for K or V/u,
  );
  refused(
    { model: { task: 'classification', positions: 'xl' } },
    /memoryChunks is 1, but sequences to classify have no text before them: it must be 0/u,
  );
  const longer = { positions: 'xl', memoryChunks: 0, evaluationMemoryChunks: 2 };
  refused({ model: { task: 'classification', ...longer } }, /evaluationMemoryChunks is 2, but/u);
});

void test('a configuration of an earlier version gets the defaults of what has come since', () => {
  const { data, model, training } = resolveConfig({ model: { width: 20 } });
  const { task, positions, layerDropout, ...older } = model;
  const completed = completeConfig({ data, training, model: older as typeof model });
  assert.deepEqual(completed.model, { ...older, task, positions, layerDropout });
});

void test('every combination that is not possible is found, with its fields', () => {
  const { data, model, training } = resolveConfig({});
  const broken = { ...model, activeExperts: 5, experts: 4, headWidth: 50 };
  assert.deepEqual(
    combinationProblems({ data, training, model: broken }).map((problem) => problem.fields),
    [['model.activeExperts', 'model.experts'], ['model.headWidth']],
  );
});

void test('41 is a valid head width: it rotates 20 channels', () => {
  assert.equal(resolveConfig({ model: { headWidth: 41 } }).model.headWidth, 41);
});

void test('fields that do not apply are not checked against each other', () => {
  resolveConfig({ model: { attention: 'dense', experts: 1, activeExperts: 5 } });
});

void test('settings take the full name or the short one and keep the rest', () => {
  const partial = applySettings({ model: { layers: 2 } }, [
    'model.heads=3',
    'learningRate = 1e-4',
    'attention=dense',
  ]);
  assert.deepEqual(partial, {
    model: { layers: 2, heads: 3, attention: 'dense' },
    training: { learningRate: 1e-4 },
  });
});

void test('short setting names are unambiguous: no two groups share one', () => {
  const short = fieldNames().map((name) => name.split('.')[1]);
  assert.equal(new Set(short).size, short.length);
});

void test('settings that cannot be used are refused with the reason', () => {
  const attempt = (setting: string) => () => applySettings({}, [setting]);
  assert.throws(attempt('steps'), /not of the form key=value/u);
  assert.throws(
    attempt('stpes=3'),
    /Unknown configuration key "stpes"\. The nearest known one is "steps"/u,
  );
  assert.throws(attempt('vocab=3'), /Unknown configuration key "vocab"\.$/u);
  assert.throws(() => applySettings({ modle: {} }, ['steps=3']), /nearest known one is "model"/u);
  assert.throws(attempt('steps=many'), /training\.steps is "many", but must be a whole number/u);
  assert.throws(attempt('steps='), /training\.steps is "", but must be a whole number/u);
  assert.throws(
    attempt('learningRate=1e400'),
    /training\.learningRate is 1e400 \(not a finite number\), but must be a number/u,
  );
  assert.throws(attempt('learningRate=Infinity'), /is "Infinity", but must be a number/u);
});

void test('settings are numbers in decimal notation only', () => {
  assert.throws(
    () => applySettings({}, ['width=0x10']),
    /model\.width is "0x10", but must be in decimal notation: 16\.$/u,
  );
  assert.throws(() => applySettings({}, ['width=0b100']), /decimal notation: 4\.$/u);
  assert.deepEqual(applySettings({}, ['clip=+.5', 'steps=1E3', 'weightDecay=2.']), {
    training: { clip: 0.5, steps: 1000, weightDecay: 2 },
  });
});
