/** A configuration as the command line names it: a preset, or a JSON file of `{model, data, training}`. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { closestMatch } from 'leven';
import type { PartialConfig } from '../../contract/config.ts';
import { SwitchyardError } from '../../contract/errors.ts';
import { listopsVocabulary } from '../../contract/listops.ts';
import { presets } from '../../contract/presets.ts';
import { applySettings, resolveConfig } from '../../contract/resolveConfig.ts';
import { fileError } from './failures.ts';

export interface ConfigSource {
  /** The preset's name, or the file's without `.json`. */
  name: string;
  config: PartialConfig;
}

/**
 * Reads a preset or a file, applies `key=value` settings and validates the result. The configuration
 * comes back as it was written, without defaults: the core fills them in.
 */
export function readConfig(source: string, settings: readonly string[]): ConfigSource {
  const { name, config } = find(source);
  const applied = applySettings(config, settings);
  resolveConfig(applied);
  return { name, config: applied };
}

function find(source: string): ConfigSource {
  const preset = presets.find(({ name }) => name === source);
  if (preset !== undefined) return preset;
  if (!/\.json$|[\\/]/iu.test(source)) throw unknownPreset(source);
  return { name: basename(source).replace(/\.json$/iu, ''), config: parse(source) };
}

function unknownPreset(source: string): SwitchyardError {
  const names = presets.map(({ name }) => name);
  const tiny = presets.filter(({ group }) => group === 'tiny').map(({ name }) => name);
  // Something unlike every preset gets no guess.
  const nearest = closestMatch(source, names, { maxDistance: Math.ceil(source.length / 2) });
  return new SwitchyardError(
    'not-found',
    `There is no preset "${source}". ${nearest === undefined ? '' : `The nearest is "${nearest}". `}` +
      `Presets: ${tiny.join(', ')}, and ${names.length - tiny.length} of the paper, which "switchyard presets" lists; or give a configuration file whose name ends in .json.`,
  );
}

function parse(path: string): PartialConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/u, '');
  } catch (error) {
    throw fileError(error, path, 'read');
  }
  try {
    return JSON.parse(text) as PartialConfig;
  } catch (error) {
    throw new SwitchyardError(
      'invalid-config',
      `${path} is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

/** How a configuration reads its data. There is one form of examples to classify; no preset has to name it. */
export function tokenizerOf(config: PartialConfig): string {
  const { model, data } = resolveConfig(config);
  const isText = model.task === 'language-model' || config.data?.tokenizer !== undefined;
  return isText ? data.tokenizer : 'listops';
}

/** Vocabulary of what a configuration reads: 256 for bytes, N for `bpe:N`, 18 for ListOps. */
export function vocabularyOf(config: PartialConfig): number {
  const tokenizer = tokenizerOf(config);
  if (tokenizer === 'listops') return listopsVocabulary;
  return tokenizer === 'byte' ? 256 : Number(tokenizer.slice('bpe:'.length));
}
