/** The shell's bridge, or null in a browser tab. */
import type { DesktopBridge } from '../../core/contract/desktop.ts';

declare global {
  interface Window {
    switchyard?: DesktopBridge;
  }
}

export const desktop: DesktopBridge | null = window.switchyard ?? null;
