/** Entry of the thread that imports one text file. */
import { importText, type ImportProgress } from '../data/importText.ts';
import { checkText, openText } from '../data/textSource.ts';
import type { ImporterTask } from './messages.ts';
import { serveTask } from './serveTask.ts';

/** Between reports of one phase: a file is read much faster than anybody can look. */
const reportEvery = 100; // ms

await serveTask('importer', async (task, report) => {
  const progress = throttled(report);
  const known = await findKnown(task, progress);
  if (known !== null) return { kind: 'known', id: known };
  const facts = await importText({ ...task, onProgress: progress });
  return { kind: 'imported', facts };
});

/** The id of the earlier import of the same bytes, or null. Reads nothing when none is of its size. */
async function findKnown(
  { path, known }: ImporterTask,
  onProgress: (progress: ImportProgress) => void,
): Promise<string | null> {
  const source = await openText(path);
  try {
    if (!known.some(({ bytes }) => bytes === source.bytes)) return null;
    const hash = await checkText(source, (done) =>
      onProgress({ phase: 'reading', done, total: source.bytes }),
    );
    return known.find(({ sha256 }) => sha256 === hash)?.id ?? null;
  } finally {
    await source.handle.close();
  }
}

/** Passes on the first and last report of every phase, and those in between now and then. */
function throttled(report: (progress: ImportProgress) => void): (progress: ImportProgress) => void {
  let phase = '';
  let last = 0;
  return (progress) => {
    const now = performance.now();
    const due = progress.phase !== phase || progress.done === progress.total;
    if (!due && now - last < reportEvery) return;
    phase = progress.phase;
    last = now;
    report(progress);
  };
}
