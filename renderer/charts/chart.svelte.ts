/** The one place that attaches charts to elements: follows size, theme and data, and disposes. */
import type { EChartsOption } from 'echarts';
import type { Attachment } from 'svelte/attachments';
import { init } from './echarts.ts';

/** Shortest time between two redraws for new data, in milliseconds: it may come more often. */
const redrawEvery = 250;

/**
 * Draws an option and redraws it when what the function reads changes. The function runs only when
 * something is drawn, at most four times a second; what `urgent` reads is drawn at once.
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
    let last = -Infinity;
    let before: string | null = null;
    /** The time for which a redraw was put off; setting it draws. */
    let due = $state(-Infinity);
    const putOff = (until: number): void => {
      timer = undefined;
      due = until;
    };
    $effect(() => {
      const now = Math.max(performance.now(), due);
      const key = urgent();
      const wait = key === before ? last + redrawEvery - now : 0;
      if (wait <= 0) {
        clearTimeout(timer);
        timer = undefined;
        last = now;
        before = key;
        drawn.setOption(option(), { replaceMerge: ['series'] });
      } else timer ??= setTimeout(putOff, wait, last + redrawEvery);
    });
    return () => {
      clearTimeout(timer);
      resize.disconnect();
      drawn.dispose();
    };
  };
}
