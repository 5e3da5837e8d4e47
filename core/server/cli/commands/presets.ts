import type { Command } from 'commander';
import { presets as all } from '../../../contract/presets.ts';
import type { Context } from '../context.ts';
import { pairs } from '../table.ts';

/** `presets`: the ready-made configurations. */
export function presets(program: Command, context: () => Context): void {
  program
    .command('presets')
    .description('list the ready-made configurations')
    .action(() => {
      const { out } = context();
      for (const preset of all) out.record({ type: 'preset', ...preset });
      out.line(
        ...pairs(
          all.map(({ name, description }) => [name, description]),
          (style, text) => out.paint(style === 'dim' ? 'bold' : style, text),
        ),
      );
    });
}
