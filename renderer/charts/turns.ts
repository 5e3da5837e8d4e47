/** Charts take turns in drawing: those of one screen are due at the same time, and together would stall it. */

/**
 * A queue that does one piece of work a frame, in the order in which it was asked for. A page that
 * nobody sees has no frames, so that nothing is drawn for it.
 * @param nextFrame `requestAnimationFrame`
 */
export function createTurns(nextFrame: (work: () => void) => void): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  const give = (): void => {
    const work = waiting.shift();
    if (waiting.length > 0) nextFrame(give);
    work?.();
  };
  return (work) => {
    if (waiting.push(work) === 1) nextFrame(give);
  };
}
