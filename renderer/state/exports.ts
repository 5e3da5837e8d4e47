/** Taking checkpoints and points away: a save dialog in the shell, a download in a browser tab. */
import * as format from '../../core/contract/format.ts';
import type { Run } from '../../core/contract/records.ts';
import { core } from '../connection/core.svelte.ts';
import { desktop } from '../connection/desktop.ts';
import { attempt, notices } from './notices.svelte.ts';

/** A checkpoint as safetensors with configuration, tokenizer and provenance. */
export async function exportCheckpoint(run: Run, checkpoint: 'best' | 'last'): Promise<void> {
  await attempt(async () => {
    const out = await desktop?.chooseSave({
      title: `Export the ${checkpoint} checkpoint of ${run.name}`,
      name: `${run.name}-${checkpoint}`,
      kind: 'folder',
    });
    if (out === null) return;
    const { folder, files, step } = await core.call('runs.export', {
      ...{ run: run.id, format: 'safetensors', checkpoint },
      ...(out === undefined ? {} : { out }),
    });
    const text = `Exported step ${format.whole(step)} of “${run.name}” (${files.join(', ')}) to ${folder}.`;
    if (desktop === null) {
      await save(lastPart(folder), files);
      notices.done(text);
    } else notices.done(text, showAction(folder));
  });
}

/** Every step and validation of the runs at full resolution, as CSV. */
export async function exportPoints(chosen: readonly Run[]): Promise<void> {
  await attempt(async () => {
    const name = chosen.length === 1 ? chosen[0].name : 'runs';
    const out = await desktop?.chooseSave({
      title: 'Export all points as CSV',
      name: `${name}.csv`,
      kind: 'csv',
    });
    if (out === null) return;
    const { file, rows, bytes } = await core.call('runs.exportPoints', {
      runs: chosen.map(({ id }) => id),
      ...(out === undefined ? {} : { out }),
    });
    const text = `Exported ${format.plural(rows, 'row')} (${format.bytes(bytes)}) to ${file}.`;
    if (desktop === null) {
      await save(lastPart(file), [lastPart(file)]);
      notices.done(text);
    } else notices.done(text, showAction(file));
  });
}

function showAction(path: string): { label: string; run: () => void } {
  return {
    label: 'Show in folder',
    run: () => void attempt(async () => desktop?.showInFolder(path)),
  };
}

const lastPart = (path: string): string => path.split(/[\\/]/u).at(-1) ?? path;

/** Downloads files of an export, one after the other. */
export async function save(name: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const url = URL.createObjectURL(await core.download(name, file));
    const link = document.createElement('a');
    link.href = url;
    link.download = file;
    link.click();
    // The browser reads it after this turn.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}
