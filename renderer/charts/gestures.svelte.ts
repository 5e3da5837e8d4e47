/** Pointer and keys on a chart: hover, drag to zoom, shift and drag to move, keys for the same. */
import type { CurveView } from './curveView.ts';
import type { Scale } from './scale.ts';
import { panned, selected, zoomed, type Range } from './zoom.ts';

interface Place {
  view: CurveView | null;
  /** Of the plot within the element, in pixels. */
  left: number;
  width: number;
}

/** Pixels that a pointer must travel before it is a drag. */
const slack = 5;

export class Gestures {
  /** The visible part of the x axis; null is all of it. */
  range = $state.raw<Range | null>(null);
  /** In pixels of the element; null when it is elsewhere. */
  pointer = $state.raw<{ x: number; y: number } | null>(null);
  /** Being dragged over, in pixels. */
  selection = $state.raw<{ from: number; to: number } | null>(null);
  readonly #place: () => Place;
  #drag: { start: number; moving: { shown: Scale; whole: Scale } | null } | null = null;

  constructor(place: () => Place) {
    this.#place = place;
  }

  reset(): void {
    this.range = null;
  }

  down(event: PointerEvent): void {
    if (event.button !== 0 || event.pointerType === 'touch') return;
    const { view } = this.#place();
    if (view === null) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const moving = event.shiftKey ? { shown: view.x, whole: view.whole } : null;
    this.#drag = { start: this.#inside(event.offsetX), moving };
  }

  move(event: PointerEvent): void {
    const { left, width } = this.#place();
    const x = event.offsetX;
    this.pointer = x < left || x > left + width ? null : { x, y: event.offsetY };
    if (this.#drag === null) return;
    const { start, moving } = this.#drag;
    const end = this.#inside(x);
    if (moving !== null) this.range = panned(moving.shown, moving.whole, (start - end) / width);
    else if (Math.abs(end - start) > slack || this.selection !== null)
      this.selection = { from: Math.min(start, end), to: Math.max(start, end) };
  }

  up(event: PointerEvent): void {
    this.move(event);
    const { view, left, width } = this.#place();
    const { selection } = this;
    this.cancel();
    if (selection === null || view === null || selection.to - selection.from <= slack) return;
    const share = (x: number): number => (x - left) / width;
    const range = selected(view.x, view.whole, share(selection.from), share(selection.to));
    if (range !== null) this.range = range;
  }

  cancel(): void {
    this.#drag = null;
    this.selection = null;
  }

  leave(): void {
    if (this.#drag === null) this.pointer = null;
  }

  /** `+`, `-`, `0` and the arrows; Escape gives up a drag, else shows everything. */
  key(event: KeyboardEvent): void {
    const { view } = this.#place();
    if (view === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x: shown, whole } = view;
    switch (event.key) {
      case '+':
      case '=':
        this.range = zoomed(shown, whole, 0.5) ?? this.range;
        break;
      case '-':
        this.range = zoomed(shown, whole, 2);
        break;
      case 'ArrowLeft':
        this.range = panned(shown, whole, -0.25);
        break;
      case 'ArrowRight':
        this.range = panned(shown, whole, 0.25);
        break;
      case 'Escape':
      case '0':
        if (this.selection !== null) this.cancel();
        else this.reset();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #inside(x: number): number {
    const { left, width } = this.#place();
    return Math.min(left + width, Math.max(left, x));
  }
}
