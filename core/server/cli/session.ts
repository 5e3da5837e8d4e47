/** An open core for the length of one command. */
import type { Core } from '../../api/openCore.ts';
import type { Context } from './context.ts';

/**
 * Opens the core, runs `use` and closes it, whatever happens. The core is loaded only here, so that
 * help and mistyped commands answer at once.
 */
export async function withCore<T>(context: Context, use: (core: Core) => Promise<T>): Promise<T> {
  const { openCore } = await import('../../api/openCore.ts');
  const { home } = context;
  const core = openCore(home === undefined ? {} : { home });
  try {
    return await use(core);
  } finally {
    await core.close();
  }
}
