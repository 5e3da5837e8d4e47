/** A chart as a PNG file, with title, legend and note, for papers and messages. */
import type { EChartsOption } from 'echarts';
import { SwitchyardError } from '../../core/contract/errors.ts';
import { init } from './echarts.ts';
import { chartFont, type ChartTheme } from './theme.ts';

/** In logical pixels; the file has twice as many. */
export const pictureSize = { width: 1040, height: 620 };
const lineHeight = 17;

export interface Caption {
  title: string;
  /** Lines under the title. */
  lines: readonly string[];
  legend: readonly { name: string; symbol: string }[];
}

export type PictureSize = typeof pictureSize;

/**
 * Draws an option with its caption and hands it to the browser (or the shell) to save.
 * @param option for a chart of the given size
 */
export async function savePicture(
  option: (size: PictureSize) => EChartsOption,
  { title, lines, legend }: Caption,
  theme: ChartTheme,
): Promise<void> {
  const top = 56 + lines.length * lineHeight;
  const bottom = 62 + Math.ceil(legend.length / 4) * 24;
  const element = document.createElement('div');
  const drawn = init(element, null, { renderer: 'canvas', devicePixelRatio: 2, ...pictureSize });
  try {
    drawn.setOption(option({ ...pictureSize, height: pictureSize.height - top - bottom }));
    drawn.setOption({
      backgroundColor: theme.surface,
      grid: { left: 78, right: 28, top, bottom },
      title: {
        text: title,
        subtext: lines.join('\n'),
        ...{ left: 20, top: 14, itemGap: 8 },
        textStyle: { fontSize: 17, fontWeight: 600, color: theme.ink, fontFamily: chartFont },
        subtextStyle: { fontSize: 11.5, lineHeight, color: theme.quiet, fontFamily: chartFont },
      },
      legend: {
        data: legend.map(({ name, symbol }) => ({ name, icon: symbol })),
        ...{ left: 20, right: 20, bottom: 12, itemWidth: 11, itemHeight: 11, itemGap: 18 },
        textStyle: { fontSize: 12, color: theme.ink, fontFamily: chartFont },
      },
    });
    const canvas = drawn.renderToCanvas({ pixelRatio: 2, backgroundColor: theme.surface });
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (blob === null)
      throw new SwitchyardError('internal', 'The browser could not make a picture of this chart.');
    saveBlob(blob, `${title}.png`);
  } finally {
    drawn.dispose();
  }
}

function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
