import type { Command } from 'commander';
import { paperDatasets, paperDatasetTitles } from '../../../contract/paperPresets.ts';
import { presets as all, type Preset } from '../../../contract/presets.ts';
import type { Context } from '../context.ts';
import { pairs } from '../table.ts';

/** `presets`: the ready-made configurations, by group. */
export function presets(program: Command, context: () => Context): void {
  program
    .command('presets')
    .description('list the ready-made configurations')
    .action(() => {
      const { out } = context();
      for (const preset of all) out.record({ type: 'preset', ...preset });
      const section = (title: string, members: readonly Preset[]): string[] => [
        out.paint('bold', title),
        ...pairs(
          members.map(({ name, description }) => [`  ${name}`, description]),
          (_style, text) => text,
        ),
      ];
      out.line(...section('Tiny: minutes on a laptop', of('tiny')));
      for (const dataset of paperDatasets)
        out.line(
          '',
          ...section(`SwitchHead paper, ${paperDatasetTitles[dataset]}`, of('paper', dataset)),
        );
    });
}

function of(group: Preset['group'], dataset?: Preset['dataset']): Preset[] {
  return all.filter((preset) => preset.group === group && preset.dataset === dataset);
}
