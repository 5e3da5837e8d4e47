/** Files that somebody opens with Switchyard: on the command line, by the system, by a second start. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '../core/contract/protocol.ts';

/**
 * The files among the arguments of a start; options and what does not exist are left out.
 * @param argv with the program first
 * @param packaged otherwise the script that the program runs comes before the files
 */
export function filesOf(argv: readonly string[], cwd: string, packaged: boolean): string[] {
  return argv
    .slice(1)
    .filter((argument) => argument !== '' && !argument.startsWith('-'))
    .slice(packaged ? 0 : 1)
    .map((argument) => resolve(cwd, argument))
    .filter(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export interface OpenedTexts {
  open(paths: readonly string[]): void;
  /** There is a core now: what waited is imported. */
  connected(client: Client, onFailed: (path: string, error: unknown) => void): void;
}

/** Imports one after the other, with the usual tokenizer, as soon as there is a core. */
export function createOpenedTexts(): OpenedTexts {
  const waiting: string[] = [];
  let importNext: ((path: string) => Promise<void>) | null = null;
  let importing = false;

  const importWaiting = async (): Promise<void> => {
    if (importing || importNext === null) return;
    importing = true;
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift())
      await importNext(path);
    importing = false;
  };
  return {
    open: (paths) => {
      waiting.push(...paths);
      void importWaiting();
    },
    connected: (client, onFailed) => {
      importNext = async (path) => {
        try {
          await client.call('datasets.import', { path });
        } catch (error) {
          onFailed(path, error);
        }
      };
      void importWaiting();
    },
  };
}
