/** The visible part of an axis, and how gestures and keys change it. */
import { project, valueAt, type Scale } from './scale.ts';

export type Range = readonly [low: number, high: number];

/** Smallest part of an axis that can be shown. */
const narrowest = 1e-5;

/** The part between two places, given as shares of the visible axis. */
export function selected(shown: Scale, whole: Scale, from: number, to: number): Range | null {
  const [low, high] = from < to ? [from, to] : [to, from];
  return clamped(whole, valueAt(shown, low), valueAt(shown, high));
}

/** `factor` below 1 zooms in, above out, around the middle. Null is the whole axis. */
export function zoomed(shown: Scale, whole: Scale, factor: number): Range | null {
  return selected(shown, whole, 0.5 - factor / 2, 0.5 + factor / 2);
}

/** Moves by a share of the visible axis, as far as the whole one goes. */
export function panned(shown: Scale, whole: Scale, by: number): Range | null {
  const span = project(shown, shown.high) - project(shown, shown.low);
  const room = {
    left: (project(whole, whole.low) - project(shown, shown.low)) / span,
    right: (project(whole, whole.high) - project(shown, shown.high)) / span,
  };
  const share = Math.min(Math.max(by, Math.min(0, room.left)), Math.max(0, room.right));
  return clamped(whole, valueAt(shown, share), valueAt(shown, 1 + share));
}

function clamped(whole: Scale, low: number, high: number): Range | null {
  const from = Math.max(low, whole.low);
  const to = Math.min(high, whole.high);
  const slack = (whole.high - whole.low) * narrowest;
  if (to - from < slack) return null;
  if (from <= whole.low + slack && to >= whole.high - slack) return null;
  return [from, to];
}
