/** A run as the core tells of it while it trains. */
import type { Run } from '../../core/contract/records.ts';
import { freshRun } from '../../core/contract/testing/runRecord.ts';

export const fakeRun = (changes: Partial<Run>): Run => freshRun({ status: 'running', ...changes });
