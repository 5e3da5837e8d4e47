/** What a chart of quality against cost is given. */
import type { ScatterAxis, ScatterPoint } from './scatterOption.ts';

export interface ScatterChartProps {
  points: readonly ScatterPoint[];
  axis: ScatterAxis;
  /** Whether the points compare, so that a front says something. */
  front: boolean;
  /** In words, for whoever does not see it. */
  label: string;
  height?: number;
  highlighted?: string | null;
  onhighlight?: (runId: string | null) => void;
  onopen?: (runId: string) => void;
}
