import { fields } from '../contract/config.ts';
import type { IntegerField } from '../contract/fields.ts';
import { matchFamilies } from '../contract/records.ts';
import { resolveConfig } from '../contract/resolveConfig.ts';
import { costOf, matchOf } from '../jobs/beforeRun.ts';
import { object, oneOf, optional, wholeNumber, type Check } from './arguments.ts';
import { handler } from './handlers.ts';

const vocabulary = wholeNumber(1, 2 ** 31);
const within = ({ min, max }: IntegerField): Check<number> => wholeNumber(min, max);
const { heads, experts, activeExperts } = fields.model;

export const resourceHandlers = () => ({
  'resources.compute': handler(
    'resources.compute',
    { config: object(), vocabulary },
    ({ config, vocabulary }) => costOf(resolveConfig(config), vocabulary),
  ),
  'models.match': handler(
    'models.match',
    {
      baseline: object(),
      vocabulary,
      family: oneOf(matchFamilies),
      by: oneOf(['parameters', 'macs']),
      heads: optional(within(heads)),
      experts: optional(within(experts)),
      activeExperts: optional(within(activeExperts)),
    },
    (input) => matchOf({ ...input, baseline: resolveConfig(input.baseline) }),
  ),
});
