import { resolveConfig } from '../contract/resolveConfig.ts';
import { costOf } from '../jobs/beforeRun.ts';
import { object, wholeNumber } from './arguments.ts';
import { handler } from './handlers.ts';

export const resourceHandlers = () => ({
  'resources.compute': handler(
    'resources.compute',
    { config: object(), vocabulary: wholeNumber(1, 2 ** 31) },
    ({ config, vocabulary }) => costOf(resolveConfig(config), vocabulary),
  ),
});
