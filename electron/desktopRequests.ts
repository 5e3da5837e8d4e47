/** Answers what the page asks of the desktop. Only its own top frame is heard. */
import type {
  IpcMain,
  OpenDialogOptions,
  OpenDialogReturnValue,
  SaveDialogOptions,
  SaveDialogReturnValue,
} from 'electron';
import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { desktopChannels } from '../core/contract/desktop.ts';
import { SwitchyardError } from '../core/contract/errors.ts';
import { packAnswer } from './desktopAnswer.ts';
import { isOwnPage } from './guards.ts';

export interface DesktopParts {
  readonly ipc: Pick<IpcMain, 'handle'>;
  showOpenDialog(options: OpenDialogOptions): Promise<OpenDialogReturnValue>;
  showSaveDialog(options: SaveDialogOptions): Promise<SaveDialogReturnValue>;
  showItemInFolder(path: string): void;
  /** The core's data directory, once it is known. */
  home(): string | null;
}

/** The part of an IPC event that says who sent it. */
interface Sender {
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** Text files as people have them; any other file can still be chosen. */
export const textFilters = [
  { name: 'Text files', extensions: ['txt', 'text', 'md', 'tsv'] },
  { name: 'All files', extensions: ['*'] },
];

/** Starts to answer; the page's calls reject with a sentence where one is refused. */
export function answerDesktopRequests(parts: DesktopParts): void {
  /** Paths that dialogs returned in this session: besides the data directory, all that may be shown. */
  const chosen = new Set<string>();

  const handle = (channel: string, answer: (input: unknown) => unknown): void => {
    parts.ipc.handle(channel, (event: Sender, input: unknown) =>
      packAnswer(() => {
        requireOwnFrame(event);
        return answer(input);
      }),
    );
  };

  handle(desktopChannels.chooseTexts, async () => {
    const { canceled, filePaths } = await parts.showOpenDialog({
      title: 'Import text',
      properties: ['openFile', 'multiSelections'],
      filters: textFilters,
    });
    return canceled ? [] : filePaths;
  });

  handle(desktopChannels.chooseSave, async (input) => {
    const { canceled, filePath } = await parts.showSaveDialog(saveOptions(input));
    if (canceled || filePath === '') return null;
    chosen.add(resolve(filePath));
    return filePath;
  });

  handle(desktopChannels.showInFolder, (input) => {
    parts.showItemInFolder(requireShowable(input, chosen, parts.home()));
  });
}

function requireOwnFrame({ senderFrame }: Sender): void {
  if (senderFrame !== null && senderFrame.parent === null && isOwnPage(senderFrame.url)) return;
  throw new SwitchyardError(
    'invalid-argument',
    'Only Switchyard’s own page may ask this of the desktop.',
  );
}

function saveOptions(input: unknown): SaveDialogOptions {
  const { title, name, kind } = (input ?? {}) as Record<string, unknown>;
  if (typeof title !== 'string' || typeof name !== 'string') {
    throw new SwitchyardError('invalid-argument', 'A save dialog needs a title and a name.');
  }
  const common: SaveDialogOptions = {
    title,
    defaultPath: name,
    properties: ['createDirectory', 'showOverwriteConfirmation'],
  };
  if (kind === 'folder') return { ...common, buttonLabel: 'Export', nameFieldLabel: 'New folder:' };
  if (kind === 'csv') return { ...common, filters: [{ name: 'CSV', extensions: ['csv'] }] };
  throw new SwitchyardError(
    'invalid-argument',
    `A save dialog is for a folder or for csv, not for ${JSON.stringify(kind) ?? 'nothing'}.`,
  );
}

function requireShowable(input: unknown, chosen: ReadonlySet<string>, home: string | null): string {
  if (typeof input !== 'string' || !isAbsolute(input)) {
    throw new SwitchyardError(
      'invalid-argument',
      `The file manager needs an absolute path, not ${JSON.stringify(input) ?? 'nothing'}.`,
    );
  }
  const path = resolve(input);
  if (!chosen.has(path) && (home === null || !isInside(path, home))) {
    throw new SwitchyardError(
      'invalid-argument',
      `${path} is neither in the data folder nor was it chosen in a dialog, so it is not shown.`,
    );
  }
  if (!existsSync(path)) throw new SwitchyardError('not-found', `${path} does not exist any more.`);
  return path;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
