/** A model in a few words, for tables. */
import type { ModelConfig } from './config.ts';

/** `dense H8`, `SwitchHead H2 E4 k2`, `SwitchAll H2 E4 k2`, `dense H8, σ-MoE`. */
export function architecture(model: ModelConfig): string {
  const { attention, feedForward, heads, experts, activeExperts } = model;
  if (attention === 'dense')
    return feedForward === 'dense' ? `dense H${heads}` : `dense H${heads}, σ-MoE`;
  const name = feedForward === 'dense' ? 'SwitchHead' : 'SwitchAll';
  return `${name} H${heads} E${experts} k${activeExperts}`;
}
