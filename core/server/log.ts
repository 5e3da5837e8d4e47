/** The server's own log, `logs/server.log` in the data directory: two files of bounded size. */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Size in bytes at which the file becomes `server.log.1` and a new one begins. */
const longest = 5 * 2 ** 20;

export type Log = (level: 'info' | 'warning' | 'error', message: string) => void;

/**
 * Appends one line a message: ISO time, level, text. Never throws: a full disk must not end the core.
 * @param folder exists
 */
export function openServerLog(folder: string): Log {
  const file = join(folder, 'server.log');
  return (level, message) => {
    const line = `${new Date().toISOString()} ${level} ${message.replaceAll(/\s*[\r\n]+\s*/gu, ' | ')}\n`;
    try {
      const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      if (size + line.length > longest) renameSync(file, `${file}.1`);
      appendFileSync(file, line);
    } catch (error) {
      process.stderr.write(`${line}(${file} cannot be written: ${String(error)})\n`);
    }
  };
}
