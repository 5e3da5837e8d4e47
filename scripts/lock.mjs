/**
 * A lock between processes: a file that its holder touches every second. A holder that was killed
 * stops touching it, so a lock untouched for half a minute, or one whose process is gone, is taken over.
 */

import { randomUUID } from 'node:crypto';
import {
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';

const ABANDONED_AFTER_MS = 30_000;
const POLL_MS = 100;

/**
 * Waits until no other process holds `file`, then runs `work` while holding it.
 * @template T
 * @param {string} file in a folder that exists
 * @param {() => Promise<T>} work
 * @param {() => void} [onWait] called once if another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(file, work, onWait) {
  const mine = `${String(process.pid)} ${randomUUID()}`;
  for (let waited = false; !take(file, mine); waited = true) {
    if (!waited) onWait?.();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const touch = setInterval(() => {
    const now = new Date();
    if (read(file) === mine) utimesSync(file, now, now);
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    if (read(file) === mine) rmSync(file, { force: true });
  }
}

/**
 * @param {string} file
 * @param {string} mine
 */
function take(file, mine) {
  try {
    writeFileSync(file, mine, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const held = read(file);
  if (held !== undefined && isAbandoned(file, held)) remove(file, held);
  return false;
}

/**
 * @param {string} file
 * @param {string} held the lock's content
 */
function isAbandoned(file, held) {
  const pid = Number.parseInt(held, 10);
  if (pid > 0 && !isAlive(pid)) return true;
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return touched !== undefined && Date.now() - touched > ABANDONED_AFTER_MS;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Removes an abandoned lock by renaming it first: when two processes find it abandoned, the slower
 * one may have picked up the faster one's fresh lock, and then puts it back.
 * @param {string} file
 * @param {string} held
 */
function remove(file, held) {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
    if (read(aside) !== held) linkSync(aside, file);
  } catch {
    // Somebody else was faster; the next round looks again.
  }
  rmSync(aside, { force: true });
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
