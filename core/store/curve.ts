/** A run's history as something that can be drawn: summed up by SQLite, so that no long list leaves it. */
import type Database from 'better-sqlite3';
import type { Curve, CurvePoint, CurveValidation } from '../contract/records.ts';

export interface CurveRange {
  /** First and last step, inclusive. */
  fromStep: number;
  toStep: number;
  /** At most this many stretches. */
  points: number;
}

interface Extent {
  steps: number;
  first: number | null;
  last: number | null;
}

/** A function that reads the curve of a run; empty where nothing is recorded between the two steps. */
export function createCurveReader(
  db: Database.Database,
): (runId: string, range: CurveRange) => Curve {
  const extent = db.prepare<{ runId: string; fromStep: number; toStep: number }, Extent>(
    `SELECT count(*) AS steps, min(step) AS first, max(step) AS last FROM steps
     WHERE run_id = @runId AND step BETWEEN @fromStep AND @toStep`,
  );
  // The second look at `steps` gives what is as of a stretch's last step: an aggregate cannot, beside
  // the minimum and maximum of something else.
  const points = db.prepare<
    { runId: string; first: number; last: number; size: number },
    CurvePoint
  >(`SELECT stretch.step, count, tokens, elapsed_seconds AS elapsedSeconds, stretch.loss, lowest,
      highest, stretch.gradientNorm, learning_rate AS learningRate, stretch.milliseconds,
      tensor_bytes AS tensorBytes, rss_bytes AS rssBytes
    FROM (SELECT max(step) AS step, count(*) AS count, avg(loss) AS loss, min(loss) AS lowest,
        max(loss) AS highest, avg(gradient_norm) AS gradientNorm, avg(milliseconds) AS milliseconds
      FROM steps WHERE run_id = @runId AND step BETWEEN @first AND @last
      GROUP BY CAST(step - @first AS INTEGER) / CAST(@size AS INTEGER)) AS stretch
    JOIN steps ON steps.run_id = @runId AND steps.step = stretch.step
    ORDER BY stretch.step`);
  // A validation belongs to its own step; after a crash that step may be missing, then to the one before.
  const validations = db.prepare<
    { runId: string; fromStep: number; toStep: number },
    CurveValidation
  >(`SELECT v.step, v.loss, v.accuracy, v.tokens, v.milliseconds, coalesce(s.tokens, 0) AS trainedTokens,
      coalesce(s.elapsed_seconds, 0) AS elapsedSeconds
    FROM validations AS v LEFT JOIN steps AS s ON s.run_id = v.run_id
      AND s.step = (SELECT max(step) FROM steps WHERE run_id = v.run_id AND step <= v.step)
    WHERE v.run_id = @runId AND v.step BETWEEN @fromStep AND @toStep ORDER BY v.step`);

  return (runId, { fromStep, toStep, points: atMost }) => {
    const between = { runId, fromStep, toStep };
    const { steps, first, last } = extent.get(between) as Extent;
    const checks = validations.all(between);
    if (first === null || last === null)
      return { steps, summarised: false, points: [], validations: checks };
    const size = steps <= atMost ? 1 : Math.ceil((last - first + 1) / atMost);
    return {
      steps,
      summarised: size > 1,
      points: points.all({ runId, first, last, size }),
      validations: checks,
    };
  };
}
