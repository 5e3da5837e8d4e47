/** What a chart of curves is given. */
import type { Run } from '../../core/contract/records.ts';
import type { Axis, Metric } from './series.ts';

export interface CurveChartProps {
  runs: readonly Run[];
  metric: Metric;
  axis: Axis;
  /** Half-life of the smoothing in steps; 0 draws the points alone. Default: `automaticHalfLife`. */
  smoothing?: number;
  /** Of the plot, in pixels. */
  height?: number;
  logX?: boolean;
  logY?: boolean;
  /** The run that stands out here and elsewhere on the screen. */
  highlighted?: string | null;
  onhighlight?: (runId: string | null) => void;
  /** For small charts side by side: its own title, no line about what is drawn unless it matters. */
  compact?: boolean;
}
