/** Short messages at the edge of the window: what was done, and what failed. */
import { toErrorRecord } from '../../core/contract/errors.ts';
import { core } from '../connection/core.svelte.ts';
import { addNotice, afterNavigation, afterReturn, type Notice } from './noticeRules.ts';

/** How long what asks for a decision is shown, in milliseconds. */
const longer = 15_000;

class Notices {
  list = $state.raw<readonly Notice[]>([]);
  #nextId = 1;

  start(): void {
    core.onConnect(() => (this.list = afterReturn(this.list)));
  }

  /** Goes away by itself after a while. */
  done(text: string, action?: Notice['action']): void {
    const id = this.#add({ kind: 'done', text, ...(action === undefined ? {} : { action }) });
    setTimeout(() => this.dismiss(id), action === undefined ? 5000 : longer);
  }

  /** What was done, but not quite as one may expect. Goes away as well, but not as soon. */
  caution(text: string, action?: Notice['action']): void {
    const id = this.#add({ kind: 'caution', text, ...(action === undefined ? {} : { action }) });
    setTimeout(() => this.dismiss(id), longer);
  }

  /** Stays until it is dismissed, another screen is opened or, without a connection, the core is back. */
  failed(error: unknown): void {
    const record = toErrorRecord(error);
    this.#add({ kind: 'failed', text: record.message, error: record });
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  /** Another screen was opened: what failed before is no longer at hand there. */
  navigated(): void {
    this.list = afterNavigation(this.list, Date.now());
  }

  #add(notice: Pick<Notice, 'kind' | 'text' | 'error' | 'action'>): number {
    const id = this.#nextId++;
    this.list = addNotice(this.list, { ...notice, id, times: 1, at: Date.now() });
    return id;
  }
}

export const notices = new Notices();

/** Runs what a person asked for; a failure becomes a notice. Returns undefined then. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    notices.failed(error);
    return undefined;
  }
}
