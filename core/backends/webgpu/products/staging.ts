/** Moving both factors of a tile from memory to the workgroup: who moves what. */

/** Text made of one piece for each value. */
export function lines<T>(values: readonly T[], text: (value: T, index: number) => string): string {
  return values.map(text).join('\n');
}

/** How one factor's part of a k step is moved, in items that are each one thread's. */
export interface Move {
  readonly items: number;
  /** Declares the registers of an item; `slot` makes their names differ. */
  readonly declare: (slot: string) => string;
  /** Reads an item into its registers. */
  readonly fetch: (item: string, k0: string, slot: string) => string;
  /** Writes it from there to workgroup memory. */
  readonly put: (item: string, slot: string) => string;
}

export interface Stage {
  readonly declare: string;
  readonly fetch: (k0: string) => string;
  readonly put: string;
}

/** Deals the items of all moves, one after the other, to the threads. */
export function stage(moves: readonly Move[], threads: number): Stage {
  const deals: { move: Move; first: number; slot: string; guard: string | undefined }[] = [];
  let before = 0;
  for (const [i, move] of moves.entries()) {
    const firstSlot = Math.floor(before / threads);
    const last = Math.ceil((before + move.items) / threads);
    for (let slot = firstSlot; slot < last; slot++) {
      const first = slot * threads - before; // the item of thread 0
      const bounds = [
        ...(first < 0 ? [`_thread >= ${-first}u`] : []),
        ...(first + threads > move.items ? [`_thread < ${move.items - first}u`] : []),
      ];
      deals.push({
        move,
        first,
        slot: `${String(slot)}${'ab'[i]}`,
        guard: bounds.length === 0 ? undefined : bounds.join(' && '),
      });
    }
    before += move.items;
  }
  const each = (text: (deal: (typeof deals)[number]) => string) =>
    lines(deals, (deal) => {
      const item =
        deal.first < 0
          ? `let _item = _thread - ${-deal.first}u;`
          : `let _item = _thread + ${deal.first}u;`;
      return `${deal.guard === undefined ? '' : `if (${deal.guard}) `}{ ${item} ${text(deal)} }`;
    });
  return {
    declare: lines(deals, ({ move, slot }) => move.declare(slot)),
    fetch: (k0) => each(({ move, slot }) => move.fetch('_item', k0, slot)),
    put: each(({ move, slot }) => move.put('_item', slot)),
  };
}
