import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BackendName } from '../../../contract/records.ts';
import type { GoldenResult } from '../../../analyse/golden/golden.ts';
import { chooseBackend } from '../chooseBackend.ts';
import type { Context } from '../context.ts';
import * as format from '../../../contract/format.ts';
import { backendOption } from '../options.ts';
import type { Paint } from '../output.ts';

/** `golden`: checks a backend against numbers of the authors' reference code. */
export function golden(program: Command, context: () => Context): void {
  program
    .command('golden')
    .description('check a backend against golden numbers of a reference implementation')
    .argument('<tensors>', 'a .safetensors file')
    .argument('<cases>', 'the .json file beside it')
    .addOption(backendOption())
    .action(async (tensors: string, cases: string, options: { backend?: BackendName }) => {
      const { out } = context();
      const { openExecutor } = await import('../../../backends/devices.ts');
      const { checkGolden } = await import('../../../analyse/golden/golden.ts');
      const backend = await chooseBackend(options.backend);
      const counts = { passed: 0, failed: 0, unsupported: 0 };
      const results = checkGolden(resolve(tensors), resolve(cases), () => openExecutor(backend));
      for await (const { name, result, detail } of results) {
        counts[result] += 1;
        out.record({ type: 'golden-case', name, result, detail });
        out.line(`${name}: ${verdict(result, detail, out.paint)}`);
      }
      out.record({ type: 'golden-summary', backend, ...counts });
      out.line(
        '',
        `${format.plural(counts.passed + counts.failed + counts.unsupported, 'case')} on ${backend}: ` +
          `${counts.passed} passed, ${counts.failed} failed, ${counts.unsupported} not supported yet.`,
      );
      if (counts.failed > 0) process.exitCode = 1;
    });
}

function verdict(result: GoldenResult['result'], detail: string, paint: Paint): string {
  switch (result) {
    case 'passed':
      return `${paint('green', 'passed')}  ${paint('dim', detail)}`;
    case 'failed':
      return `${paint('red', 'failed')}: ${detail}`;
    case 'unsupported':
      return paint(
        'yellow',
        /not supported yet/u.test(detail) ? detail : `not supported yet: ${detail}`,
      );
  }
}
