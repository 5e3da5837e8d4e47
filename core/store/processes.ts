/**
 * Which process owns a run, and whether it still lives. A pid alone is not enough: after a crash or a
 * restart of the machine another program may carry it. Processes are told apart only within one
 * machine and pid namespace: two containers must not share a data folder.
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  pid: number;
  /** Boot of the machine and start of the process in clock ticks since then; null off Linux. */
  started: string | null;
}

/** When `pid` started, or null if there is no such process; undefined where that cannot be told. */
function startOf(pid: number): string | null | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 2 is the program's name in parentheses and may hold anything, so count from the last ")".
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0]; // field 3
    if (state === 'Z' || state === 'X') return null; // ended, but not yet collected by its parent
    return `${boot}/${fields[19]}`; // field 22
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ESRCH' ? null : undefined;
  }
}

/** The running process. */
export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? null };
}

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.started === b.started;
}

/** Whether that very process still runs; another one that reuses its pid does not count. */
export function isAlive({ pid, started }: ProcessIdentity): boolean {
  if (started !== null) {
    const now = startOf(pid);
    if (now !== undefined) return now === started;
  }
  try {
    process.kill(pid, 0); // signal 0 sends nothing, it only asks
    return true;
  } catch (error) {
    // EPERM: it exists, but belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
