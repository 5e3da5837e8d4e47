/** Another family made to cost what a configuration costs: asked of the core, the latest question wins. */
import { toErrorRecord, type ErrorRecord } from '../../../core/contract/errors.ts';
import type { Input } from '../../../core/contract/protocol.ts';
import type { Match } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';

type MatchQuestion = Input<'models.match'>;

export class Matching {
  /** Of the latest question; null while it is not answered. */
  match = $state.raw<Match | null>(null);
  error = $state.raw<ErrorRecord | null>(null);
  #latest = 0;

  async ask(question: MatchQuestion): Promise<void> {
    const mine = ++this.#latest;
    this.match = null;
    this.error = null;
    try {
      const match = await core.call('models.match', question);
      if (mine === this.#latest) this.match = match;
    } catch (error) {
      if (mine === this.#latest) this.error = toErrorRecord(error);
    }
  }
}
