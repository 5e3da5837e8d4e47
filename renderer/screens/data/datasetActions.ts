/** What a person can do with a dataset. */
import * as format from '../../../core/contract/format.ts';
import type { Dataset, Run } from '../../../core/contract/records.ts';
import { core } from '../../connection/core.svelte.ts';
import { router } from '../../routing.svelte.ts';
import { datasets } from '../../state/datasets.svelte.ts';
import { attempt, notices } from '../../state/notices.svelte.ts';
import { questions } from '../../state/questions.svelte.ts';
import { runs } from '../../state/runs.svelte.ts';

/** Opens the form for a new run on this dataset. */
export function trainOn({ id }: Dataset): void {
  router.go({ screen: 'new', from: null, data: id });
}

/** Newest first. */
export function runsOn({ id }: Dataset): Run[] {
  return runs.list.filter(({ datasetId }) => datasetId === id);
}

export async function rename(dataset: Dataset): Promise<void> {
  const name = await questions.text({
    title: 'Rename dataset',
    body: [],
    action: 'Rename',
    field: { label: 'Name', value: dataset.name, longest: 200 },
  });
  if (name === null || name === dataset.name) return;
  const renamed = await attempt(() => core.call('datasets.rename', { dataset: dataset.id, name }));
  if (renamed !== undefined) datasets.put(renamed);
}

/** Asks first, with the space that it frees; names the runs that must go first. Returns whether it is gone. */
export async function remove(dataset: Dataset): Promise<boolean> {
  const users = runsOn(dataset);
  if (users.length > 0) {
    await questions.confirm({
      title: `“${dataset.name}” is in use`,
      body: [
        `${users.length === 1 ? 'A run was' : `${format.whole(users.length)} runs were`} trained on it and would be unusable without it: ${shortList(users)}.`,
        'To delete the dataset, delete these runs first.',
      ],
      action: 'Understood',
    });
    return false;
  }
  const usage = await attempt(() => core.call('disk.usage', {}));
  if (usage === undefined) return false;
  const bytes = usage.datasets.find(({ id }) => id === dataset.id)?.bytes ?? 0;
  const sure = await questions.confirm({
    title: `Delete “${dataset.name}”?`,
    body: [
      `Its tokens and tokenizer are deleted, which frees ${format.bytes(bytes)}. The text file that it came from is not touched.`,
    ],
    action: 'Delete dataset',
    danger: true,
  });
  if (!sure) return false;
  const removed = await attempt(() => core.call('datasets.remove', { dataset: dataset.id }));
  if (removed === undefined) return false;
  notices.done(`Deleted “${dataset.name}” and freed ${format.bytes(removed.bytes)}.`);
  return true;
}

/** Names of a few runs, and how many more there are. */
function shortList(users: readonly Run[]): string {
  const shown = users.slice(0, 5).map(({ name }) => `“${name}”`);
  const more = users.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${format.whole(more)} more` : '');
}
