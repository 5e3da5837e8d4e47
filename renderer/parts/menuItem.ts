/** An entry of a menu. */
import type { Component } from 'svelte';

export interface MenuItem {
  label: string;
  /** What it does, or why it cannot be chosen. */
  detail?: string;
  /** The shortcut that does the same. */
  keys?: string;
  icon?: Component<{ size?: number }>;
  disabled?: boolean;
  danger?: boolean;
  run: () => unknown;
}
