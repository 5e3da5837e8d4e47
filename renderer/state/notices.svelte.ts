/** Short messages at the edge of the window: what was done, and what failed. */
import { toErrorRecord, type ErrorRecord } from '../../core/contract/errors.ts';

export interface Notice {
  id: number;
  kind: 'done' | 'failed';
  text: string;
  /** Of a failure, for copying. */
  error?: ErrorRecord;
  action?: { label: string; run: () => void };
}

class Notices {
  list = $state.raw<readonly Notice[]>([]);
  #nextId = 1;

  /** Goes away by itself after a while. */
  done(text: string, action?: Notice['action']): void {
    const id = this.#add({ kind: 'done', text, ...(action === undefined ? {} : { action }) });
    setTimeout(() => this.dismiss(id), action === undefined ? 5000 : 15_000);
  }

  /** Stays until it is dismissed. */
  failed(error: unknown): void {
    const record = toErrorRecord(error);
    this.#add({ kind: 'failed', text: record.message, error: record });
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(notice: Omit<Notice, 'id'>): number {
    const id = this.#nextId++;
    this.list = [...this.list.slice(-4), { id, ...notice }];
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
