/** The one place that attaches charts to elements: follows size, theme and data, and disposes. */
import type { EChartsOption } from 'echarts';
import type { Attachment } from 'svelte/attachments';
import { init } from './echarts.ts';
import { createTurns } from './turns.ts';

const takeTurn = createTurns((draw) => void requestAnimationFrame(draw));

/** Shortest and longest time between two redraws for new data, in milliseconds: it may come more often. */
const redrawEvery = 250;
const redrawAtLeastEvery = 2000;
/** Of the time, at most this share goes into drawing one chart for new data. */
const mostOfTheTime = 1 / 8;

/**
 * Draws an option and redraws it when what the function reads changes. The function runs only when
 * something is drawn: at most four times a second, less often where drawing is slow; what `urgent`
 * reads is drawn in the next frame.
 * @param option pure: from what is to be shown to an ECharts option
 * @param urgent a text that differs when a person changed something: size, theme, zoom, highlight
 */
export function chart(
  option: () => EChartsOption,
  urgent: () => string = () => '',
): Attachment<HTMLElement> {
  return (element) => {
    const drawn = init(element, null, { renderer: 'canvas' });
    const resize = new ResizeObserver(() => drawn.resize());
    resize.observe(element);

    let timer: ReturnType<typeof setTimeout> | undefined;
    let asked = false;
    let last = -Infinity;
    let pause = redrawEvery;
    let before: string | null = null;
    /** Frames that were given to this chart, and those of them it has drawn in. */
    let turns = $state(0);
    let taken = 0;

    const ask = (): void => {
      clearTimeout(timer);
      timer = undefined;
      if (asked) return;
      asked = true;
      takeTurn(() => {
        asked = false;
        turns++;
      });
    };
    const draw = (): void => {
      const began = performance.now();
      drawn.setOption(option(), { replaceMerge: ['series'] });
      last = performance.now();
      pause = Math.min(redrawAtLeastEvery, Math.max(redrawEvery, (last - began) / mostOfTheTime));
    };
    $effect(() => {
      const key = urgent();
      if (turns !== taken) {
        taken = turns;
        before = key;
        draw();
        return;
      }
      const wait = key === before ? last + pause - performance.now() : 0;
      if (wait <= 0) ask();
      else timer ??= setTimeout(ask, wait);
    });
    return () => {
      clearTimeout(timer);
      resize.disconnect();
      drawn.dispose();
    };
  };
}
