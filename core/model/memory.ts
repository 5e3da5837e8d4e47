/**
 * Transformer-XL memory (Dai et al. 2019): every layer keeps its own input of the chunks before, and
 * attends to it. Training and evaluation have memories of their own, so that validating in between
 * does not disturb the streams of training.
 */
import type { ModelConfig } from '../contract/config.ts';
import { sizeOf } from '../graph/graph.ts';

export type Purpose = 'training' | 'evaluation';

/** Tokens of memory (M) that attention reads beside its own chunk; 0 without memory. */
export function memoryTokens(model: ModelConfig, purpose: Purpose): number {
  if (model.positions !== 'xl') return 0;
  const { memoryChunks, evaluationMemoryChunks } = model;
  const chunks =
    purpose === 'evaluation' && evaluationMemoryChunks > 0 ? evaluationMemoryChunks : memoryChunks;
  return chunks * model.context;
}

/** The variable that holds what a layer remembers. */
export function memoryName(purpose: Purpose, layer: number): string {
  return `${purpose === 'training' ? 'memory' : 'evaluationMemory'}/${layer}`;
}

export interface MemoryVariable {
  readonly name: string;
  /** [B, M, D] */
  readonly shape: readonly number[];
}

/** All layers' memories, none without memory. */
export function memoryVariables(
  model: ModelConfig,
  batch: number,
  purpose: Purpose,
): readonly MemoryVariable[] {
  const shape = [batch, memoryTokens(model, purpose), model.width];
  if (sizeOf(shape) === 0) return [];
  return Array.from({ length: model.layers }, (_, layer) => ({
    name: memoryName(purpose, layer),
    shape,
  }));
}

/**
 * The plan input `visible` [B, 2] of a chunk: every row sees its own chunk and the `filled` newest
 * tokens of its memory. The first chunk of a stream has `filled` 0.
 * @param memory M
 */
export function visibleSources({
  batch,
  memory,
  filled,
  context,
}: {
  batch: number;
  memory: number;
  filled: number;
  context: number;
}): Int32Array<ArrayBuffer> {
  const first = memory - Math.min(filled, memory);
  return Int32Array.from({ length: 2 * batch }, (_, i) => (i % 2 === 0 ? first : memory + context));
}
