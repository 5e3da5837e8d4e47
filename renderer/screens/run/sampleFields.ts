/** What can be set for a sample: the bounds that `runs.sample` accepts, each declared once. */
import { integer, number } from '../../../core/contract/fields.ts';

export const sampleFields = {
  tokens: integer({
    default: 200,
    min: 1,
    max: 100_000,
    label: 'Tokens',
    unit: 'tokens',
    help: 'Length of the continuation.',
  }),
  temperature: number({
    default: 0.8,
    min: 0,
    max: 100,
    label: 'Temperature',
    help: '0 always takes the likeliest token; 1 draws by the model’s own probabilities; more is wilder.',
  }),
  topK: integer({
    default: 0,
    min: 0,
    max: 10_000_000,
    label: 'Top-k',
    help: 'Draws only among this many likeliest tokens; 0 among all.',
  }),
  seed: integer({
    default: 1,
    min: 0,
    max: 2 ** 32 - 1,
    label: 'Seed',
    help: 'The same seed, settings and checkpoint give the same text.',
  }),
} as const;

export type SampleField = keyof typeof sampleFields;
export const sampleFieldNames = Object.keys(sampleFields) as SampleField[];
