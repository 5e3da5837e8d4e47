/** Keyboard shortcuts: screens say what they offer while they are shown; the help lists exactly that. */
import { untrack } from 'svelte';

export interface Shortcut {
  /** As `KeyboardEvent.key` gives it, or two keys one after the other: `g r`. */
  keys: string;
  label: string;
  run: () => void;
}

/** Longest pause within a sequence of keys, in milliseconds. */
const sequencePause = 1000;

class Shortcuts {
  #groups = $state.raw<readonly { title: string; list: readonly Shortcut[] }[]>([]);
  groups = $derived(this.#groups.filter(({ list }) => list.length > 0));
  #before: { key: string; at: number } | null = null;

  /** Offers shortcuts until the returned function is called: `$effect(() => shortcuts.offer(…))`. */
  offer(title: string, list: readonly Shortcut[]): () => void {
    const group = { title, list };
    // Whoever offers from an effect must not depend on what others offer.
    this.#groups = [...untrack(() => this.#groups), group];
    return () => (this.#groups = untrack(() => this.#groups).filter((other) => other !== group));
  }

  /** A listener for `keydown` on the window. */
  press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
    const { key } = event;
    const before = this.#before;
    this.#before = { key, at: event.timeStamp };
    const sequence =
      before !== null && event.timeStamp - before.at < sequencePause ? `${before.key} ${key}` : key;
    // The latest group wins: a screen may give a key another meaning than the window has.
    const all = this.#groups.toReversed().flatMap(({ list }) => list);
    const found = all.find(({ keys }) => keys === sequence) ?? all.find(({ keys }) => keys === key);
    if (found === undefined) return;
    event.preventDefault();
    this.#before = null;
    found.run();
  }
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'range', 'button'].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    target.isContentEditable
  );
}

export const shortcuts = new Shortcuts();
