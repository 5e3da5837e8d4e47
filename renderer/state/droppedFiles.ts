/** What was dropped: files to import, folders that cannot be, or nothing at all. */

/** The parts of the platform's `DataTransfer` that are read. */
export interface Transfer {
  readonly items: Iterable<TransferItem>;
}
interface TransferItem {
  readonly kind: string;
  getAsFile(): File | null;
  /** Under this name in every browser; tells folders from files. */
  webkitGetAsEntry?(): { readonly isDirectory: boolean; readonly name: string } | null;
}

export interface Dropped {
  files: File[];
  /** Names. */
  folders: string[];
}

/** Must be called while the drop is handled: afterwards a browser shows nothing of it any more. */
export function readDrop({ items }: Transfer): Dropped {
  const dropped: Dropped = { files: [], folders: [] };
  for (const item of items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry?.() ?? null;
    const file = item.getAsFile();
    if (entry?.isDirectory === true) dropped.folders.push(entry.name);
    else if (file !== null) dropped.files.push(file);
  }
  return dropped;
}

/** Whether a drag brings files, as its types tell before the drop. */
export function bringsFiles(types: readonly string[] | undefined): boolean {
  return types?.includes('Files') === true;
}

/** Longest name that the core takes an upload under, in bytes of UTF-8. */
const longestName = 200;

/** Why a file cannot be uploaded, by its name; null where it can. */
export function nameProblem(name: string): string | null {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes <= longestName) return null;
  return `The name of “${name.slice(0, 24)}…” is ${bytes} bytes long, but a file is uploaded under a name of at most ${longestName}. Rename the file, then choose it again.`;
}

/** What to say about what cannot be imported; null when there is nothing to say. */
export function dropProblem({ files, folders }: Dropped): string | null {
  if (folders.length > 0) {
    const names = folders.map((name) => `“${name}”`).join(', ');
    return folders.length === 1
      ? `${names} is a folder, which cannot be imported as one. Drop the text files in it.`
      : `${names} are folders, which cannot be imported as such. Drop the text files in them.`;
  }
  return files.length === 0 ? 'No file was dropped. Drop one or more UTF-8 text files.' : null;
}
