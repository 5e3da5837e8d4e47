import { validationBatches } from '../data/batches.ts';
import type { TokenFile } from '../data/tokenFile.ts';
import type { Program } from '../graph/executor.ts';

/**
 * Mean cross-entropy over a token file, in nats per token: every chosen chunk counts exactly once,
 * summed in float64.
 * @param program an evaluation plan for [batch, context]
 * @param limit batches to take, spread evenly; 0 takes the whole file
 */
export async function evaluate(
  program: Program,
  file: TokenFile,
  { batch, context, limit }: { batch: number; context: number; limit: number },
): Promise<{ loss: number; tokens: number }> {
  let sum = 0;
  let tokens = 0;
  for (const { tokens: inputs, targets, rows } of validationBatches(file, {
    batch,
    context,
    limit,
  })) {
    const { losses } = await program.run({ inputs: { tokens: inputs, targets }, uniforms: {} }); // [B, T]
    for (let i = 0; i < rows * context; i++) sum += losses[i];
    tokens += rows * context;
  }
  return { loss: sum / tokens, tokens };
}
