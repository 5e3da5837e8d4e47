import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Client } from '../../../contract/protocol.ts';
import type { Run } from '../../../contract/records.ts';
import { judge } from '../../../contract/comparison.ts';
import { comparisonTable, verdictLines } from '../comparison.ts';
import type { Context } from '../context.ts';
import { writeFileAtomically } from '../../../data/atomicFile.ts';
import { fileError, usageError } from '../failures.ts';
import { notEmpty } from '../options.ts';
import { withCore } from '../session.ts';

/** `compare`: quality and cost of several runs side by side, and their loss curves as a figure. */
export function compare(program: Command, context: () => Context): void {
  program
    .command('compare')
    .description('compare runs on quality and cost; ratios are relative to the first')
    .argument('<run...>', 'names, ids, or beginnings of ids')
    .option('--png <F>', 'draw the loss curves to this file', notEmpty)
    .action(async (references: string[], { png }: { png?: string }) => {
      if (png !== undefined && !['', '.png'].includes(extname(png).toLowerCase()))
        throw usageError(
          `--png draws a PNG image, but "${png}" ends in ${extname(png)}. Choose a name that ends in .png.`,
        );
      const { out } = context();
      await withCore(context(), async ({ client }) => {
        const runs = await findRuns(client, references);
        const datasets = await client.call('datasets.list', {});
        const verdict = judge(runs);
        for (const run of runs) out.record({ type: 'run', ...run });
        out.record({ type: 'comparison', ...verdict });
        out.line(
          ...comparisonTable(
            runs,
            (id) => datasets.find((dataset) => dataset.id === id)?.name ?? id,
            out.columns,
            out.paint,
          ),
          '',
          ...verdictLines(runs, verdict),
        );
        if (png === undefined) return;
        const path = resolve(png);
        await drawFigure(client, runs, path);
        out.record({ type: 'figure', path });
        out.line(`Loss curves: ${path}`);
      });
    });
}

/** The runs in the order given, each once. */
async function findRuns(client: Client, references: readonly string[]): Promise<Run[]> {
  const runs = new Map<string, Run>();
  for (const run of references) {
    const found = await client.call('runs.get', { run });
    runs.set(found.id, found);
  }
  return [...runs.values()];
}

/** Drawing is loaded only when asked for: ECharts and the canvas take a while. */
async function drawFigure(client: Client, runs: readonly Run[], path: string): Promise<void> {
  const { lossCurves, renderPng } = await import('../../../export/figure.ts');
  const metrics = await Promise.all(runs.map(({ id }) => client.call('runs.metrics', { run: id })));
  const png = renderPng(lossCurves(runs, metrics));
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileAtomically(path, (descriptor) => writeFileSync(descriptor, png));
  } catch (error) {
    throw fileError(error, path, 'write');
  }
}
