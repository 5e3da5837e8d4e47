/**
 * Learns a byte-level byte-pair vocabulary from text files with Hugging Face's trainer.
 *
 * The npm package trains only with its default settings: 30,000 entries over the alphabet that the
 * text happens to use. Merges are learned greedily, so the first merges of that vocabulary are
 * exactly those of any smaller one; keeping all 256 bytes and the first merges gives what the
 * Python trainer gives for `vocab_size=N, initial_alphabet=ByteLevel.alphabet()`.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SwitchyardError } from '../contract/errors.ts';
import { byteCharacters } from './byteLevel.ts';
import { withFileErrors } from './fileErrors.ts';
import type { ByteLevelModel } from './tokenizerJson.ts';

/**
 * @param textFiles valid UTF-8, of a few megabytes each: the trainer takes a file line by line, and a
 *   line of 64 MB costs it 6 GB of memory
 * @param size N of `bpe:N`; fewer entries come back when the text has no more pairs to merge
 * @param scratchFile a path that may be written and is removed again
 * @throws SwitchyardError `disk-full`, or `internal` when the trainer fails
 */
export async function trainBpe(
  textFiles: readonly string[],
  size: number,
  scratchFile: string,
): Promise<ByteLevelModel> {
  try {
    await runTrainer(textFiles, scratchFile);
    const saved = withFileErrors('read', scratchFile, () => readFileSync(scratchFile, 'utf8'));
    const { model } = JSON.parse(saved) as { model: { merges: [string, string][] } };
    return firstMerges(model.merges, size);
  } finally {
    rmSync(scratchFile, { force: true });
  }
}

/** The trainer's own loop: merges are taken until the vocabulary has `size` entries. */
function firstMerges(learned: readonly [string, string][], size: number): ByteLevelModel {
  // Code-unit order is the trainer's order too: it sorts the alphabet by character.
  const entries = [...byteCharacters].sort();
  const known = new Set(entries);
  const merges: [string, string][] = [];
  for (const [left, right] of learned) {
    if (entries.length >= size) break;
    merges.push([left, right]);
    // Two merges can make the same entry ("a" + "bc", "ab" + "c"): it is counted once.
    if (!known.has(left + right)) entries.push(left + right);
    known.add(left + right);
  }
  return { entries, merges };
}

/**
 * In a process of its own: the library prints blank lines to standard output, which would break
 * `--json`; it blocks its thread for minutes on a large text; and it holds much memory.
 */
function runTrainer(textFiles: readonly string[], outputFile: string): Promise<void> {
  const script = fileURLToPath(new URL('./trainBpeProcess.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, outputFile, ...textFiles], (error, _stdout, stderr) => {
      if (error === null) {
        resolve();
        return;
      }
      // Rust reports a full disk by number: 28 on Linux and macOS, 112 on Windows.
      const full = /os error (28|112)\b/.test(stderr);
      reject(
        full
          ? new SwitchyardError(
              'disk-full',
              `Cannot write ${outputFile}: the disk is full. Free some space and try again.`,
            )
          : new SwitchyardError(
              'internal',
              `The tokenizer could not be trained: ${stderr.trim().slice(-500) || error.message}`,
              { cause: error },
            ),
      );
    });
  });
}
