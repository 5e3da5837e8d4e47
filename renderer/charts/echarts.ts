/** The parts of ECharts that are in use; whoever draws imports it from here. */
import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { CanvasRenderer } from 'echarts/renderers';

use([
  ...[LineChart, ScatterChart, LabelLayout],
  ...[GridComponent, LegendComponent, TitleComponent],
  CanvasRenderer, // not WebGL: charts must not take memory from training
]);

export { init };
