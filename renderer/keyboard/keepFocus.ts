/** The focus must not fall back to the page's beginning when what had it is taken away. */
import type { Attachment } from 'svelte/attachments';

const focusable = 'a[href], button:enabled, input:enabled, select:enabled, textarea:enabled';

/**
 * Attached to an element: if what is focused in it disappears, as a row that is deleted or a button
 * that has done its work, the focus goes to what has taken its place, else to what stands nearest.
 */
export const keepFocus: Attachment<HTMLElement> = (root) => {
  let focused: Element | null = null;
  const note = (): void => void (focused = document.activeElement);
  /** Somebody who leaves by themselves is not brought back; what is removed or moved is not left. */
  const forget = ({ target }: FocusEvent): void =>
    queueMicrotask(() => {
      const here = target instanceof Element && target.isConnected;
      if (here && focused === target && document.activeElement !== target) focused = null;
    });
  const observer = new MutationObserver((records) => {
    const lost = focused;
    if (!(lost instanceof HTMLElement) || document.activeElement !== document.body) return;
    const record = records.find(({ removedNodes }) =>
      [...removedNodes].some((node) => node.contains(lost)),
    );
    if (record === undefined) return;
    // A row that is sorted to another place is taken out and put in again.
    if (lost.isConnected) lost.focus({ preventScroll: true });
    else nearest(root, record).focus();
  });
  root.addEventListener('focusin', note);
  root.addEventListener('focusout', forget);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    root.removeEventListener('focusin', note);
    root.removeEventListener('focusout', forget);
    observer.disconnect();
  };
};

/** What can be focused nearest to a removal: after it before what is before it, near before far. */
function nearest(root: HTMLElement, { target, nextSibling }: MutationRecord): HTMLElement {
  let scope = target instanceof HTMLElement ? target : null;
  for (; scope !== null && root.contains(scope); scope = scope.parentElement) {
    const all = [...scope.querySelectorAll<HTMLElement>(focusable)];
    const following = all.find((each) => isAtOrAfter(each, nextSibling));
    const found = following ?? all.at(-1);
    if (found !== undefined) return found;
  }
  return document.querySelector('main') ?? root;
}

function isAtOrAfter(element: HTMLElement, place: Node | null): boolean {
  if (place === null) return false;
  if (place.contains(element)) return true;
  return (place.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
}
