/**
 * The columns of `runs` that sum up its metrics, so that a list of runs never scans them. The caller
 * runs these in the transaction that changed the metrics.
 */
import type Database from 'better-sqlite3';

export interface RunSummary {
  /** Last step, last and best validation and accuracy, from what is recorded. Index look-ups. */
  refresh(id: string): void;
  /** Raises the peaks to at least these. */
  raisePeaks(id: string, tensorBytes: number, rssBytes: number): void;
  /** Peaks from all recorded steps. Scans them: for use after some were removed. */
  refreshPeaks(id: string): void;
  /**
   * Exact median of the recorded step times; the mean of the middle two if their number is even.
   * Sorts all of them, 0.1 s for a million, so it is not for every step.
   */
  refreshMedian(id: string): void;
}

export function createRunSummary(db: Database.Database): RunSummary {
  const last = (column: string, table: string) =>
    `(SELECT ${column} FROM ${table} WHERE run_id = runs.id ORDER BY step DESC LIMIT 1)`;
  // Of equal losses the earliest counts as the best.
  const best = (column: string) =>
    `(SELECT ${column} FROM validations WHERE run_id = runs.id ORDER BY loss, step LIMIT 1)`;
  const refresh = db.prepare<[string]>(`UPDATE runs SET
    step = coalesce(${last('step', 'steps')}, 0),
    tokens = coalesce(${last('tokens', 'steps')}, 0),
    last_train_loss = ${last('loss', 'steps')},
    last_validation_loss = ${last('loss', 'validations')},
    best_validation_loss = ${best('loss')},
    best_step = ${best('step')},
    last_accuracy = ${last('accuracy', 'validations')},
    best_accuracy = (SELECT max(accuracy) FROM validations
      WHERE run_id = runs.id AND accuracy IS NOT NULL)
    WHERE id = ?`);
  const raisePeaks = db.prepare<[number, number, string]>(`UPDATE runs SET
    peak_tensor_bytes = max(coalesce(peak_tensor_bytes, 0), ?),
    peak_rss_bytes = max(coalesce(peak_rss_bytes, 0), ?) WHERE id = ?`);
  const refreshPeaks = db.prepare<[string]>(`UPDATE runs SET (peak_tensor_bytes, peak_rss_bytes) =
    (SELECT max(tensor_bytes), max(rss_bytes) FROM steps WHERE run_id = runs.id) WHERE id = ?`);
  // median() is SQLite's percentile extension, compiled into every binary of better-sqlite3.
  const refreshMedian = db.prepare<[string]>(`UPDATE runs SET milliseconds_per_step =
    (SELECT median(milliseconds) FROM steps WHERE run_id = runs.id) WHERE id = ?`);

  return {
    refresh: (id) => void refresh.run(id),
    raisePeaks: (id, tensorBytes, rssBytes) => void raisePeaks.run(tensorBytes, rssBytes, id),
    refreshPeaks: (id) => void refreshPeaks.run(id),
    refreshMedian: (id) => void refreshMedian.run(id),
  };
}
