import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cautionsOf, smallVocabulary, tooShort } from './datasetCautions.ts';

const dataset = {
  ...{ tokenizer: 'byte', vocabulary: 256 },
  ...{ trainTokens: 900, validationTokens: 129 },
};

test('a part must hold one sequence of the default context and the token after it', () => {
  assert.deepEqual(cautionsOf(dataset), []);
  assert.match(tooShort({ ...dataset, validationTokens: 128 }) ?? '', /validation part has 128/u);
  assert.match(
    tooShort({ ...dataset, trainTokens: 9, validationTokens: 1 }) ?? '',
    /training part has 9 tokens/u,
  );
});

test('a vocabulary that came out smaller than asked is told, one that did not is not', () => {
  assert.match(
    smallVocabulary({ ...dataset, tokenizer: 'bpe:8000', vocabulary: 295 }) ?? '',
    /295/u,
  );
  assert.equal(smallVocabulary({ ...dataset, tokenizer: 'bpe:8000', vocabulary: 8000 }), null);
});
