/**
 * Where the window was: remembered in a small file, and only used where the window would still be on
 * a screen. A damaged file counts as none.
 */
import type { Rectangle } from 'electron';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface WindowState {
  /** Place and size when neither maximised nor full screen; null leaves the place to the system. */
  bounds: Rectangle | null;
  maximised: boolean;
}

export const smallestSize = { width: 800, height: 560 } as const;
export const usualSize = { width: 1280, height: 820 } as const;

/** How much of the title bar must be on a screen for the window to be reachable, in pixels. */
const reachable = { width: 120, height: 32 } as const;

/**
 * Reads what {@link writeWindowState} left.
 * @param workAreas of the screens that are connected now
 */
export function readWindowState(file: string, workAreas: readonly Rectangle[]): WindowState {
  const saved = parse(file);
  if (saved === null) return { bounds: null, maximised: false };
  const { bounds, maximised } = saved;
  const usable = bounds !== null && workAreas.some((area) => isReachable(bounds, area));
  return { bounds: usable ? bounds : null, maximised };
}

/** Replaces the file in one step. Errors are the caller's: no work depends on this. */
export function writeWindowState(file: string, state: WindowState): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, JSON.stringify(state));
  renameSync(temporary, file);
}

function parse(file: string): WindowState | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // The first start, or damaged.
  }
  if (typeof value !== 'object' || value === null) return null;
  if (!('maximised' in value) || typeof value.maximised !== 'boolean') return null;
  if (!('bounds' in value)) return null;
  const { bounds, maximised } = value;
  if (bounds === null) return { bounds, maximised };
  return isRectangle(bounds) ? { bounds, maximised } : null;
}

function isRectangle(value: unknown): value is Rectangle {
  if (typeof value !== 'object' || value === null) return false;
  const { x, y, width, height } = value as Record<string, unknown>;
  return (
    [x, y, width, height].every(Number.isSafeInteger) &&
    Number(width) >= smallestSize.width &&
    Number(height) >= smallestSize.height
  );
}

/** Whether enough of the window's upper edge lies in the area to take hold of it. */
function isReachable({ x, y, width }: Rectangle, area: Rectangle): boolean {
  const left = Math.max(x, area.x);
  const right = Math.min(x + width, area.x + area.width);
  return (
    right - left >= reachable.width && y >= area.y && y + reachable.height <= area.y + area.height
  );
}
