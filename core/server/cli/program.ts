/** All commands and the options they share. */
import { Command, type CommanderError } from 'commander';
import { closestMatch } from 'leven';
import type { Context } from './context.ts';
import { usageError } from './failures.ts';
import { notEmpty } from './options.ts';
import type { Output } from './output.ts';
import { app } from './commands/app.ts';
import { bench } from './commands/bench.ts';
import { compare } from './commands/compare.ts';
import { datasets } from './commands/datasets.ts';
import { doctor } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { golden } from './commands/golden.ts';
import { importCommand } from './commands/import.ts';
import { listops } from './commands/listops.ts';
import { match } from './commands/match.ts';
import { presets } from './commands/presets.ts';
import { resources } from './commands/resources.ts';
import { resume } from './commands/resume.ts';
import { runs } from './commands/runs.ts';
import { sample } from './commands/sample.ts';
import { serve } from './commands/serve.ts';
import { train } from './commands/train.ts';

/** In the order of a first session. */
const commands = [
  serve,
  doctor,
  presets,
  resources,
  match,
  importCommand,
  listops,
  datasets,
  train,
  resume,
  runs,
  compare,
  sample,
  exportCommand,
  bench,
  golden,
];

/** The command line; errors are thrown, not printed. */
export function createProgram(out: Output, version: string): Command {
  const program = new Command('switchyard')
    .description('Train, compare and inspect mixture-of-experts attention on your own machine.')
    .version(version, '--version', 'print the version')
    .option(
      '--home <DIR>',
      'where everything is kept (default: SWITCHYARD_HOME, else your own)',
      notEmpty,
    )
    .option('--json', 'one JSON object a line on stdout, for programs')
    // Here and not at `serve`: without a command, the app may be served as well.
    .option('--no-open', 'do not show the page in the browser when the app is served')
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(out.columns, 100) })
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError(true)
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .allowExcessArguments()
    .action(async () => {
      // Commander suggests commands only where there is no default action.
      if (program.args.length > 0) throw unknownCommand(program);
      await app(context(), program.opts<{ open: boolean }>());
    });
  const context = (): Context => ({ out, home: program.opts<{ home?: string }>().home });
  for (const register of commands) register(program, context);
  return program;
}

function unknownCommand(program: Command): CommanderError {
  const nearest = closestMatch(
    program.args[0],
    program.commands.map((command) => command.name()),
    { maxDistance: Math.ceil(program.args[0].length / 2) },
  );
  const suggestion = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return usageError(
    `There is no command "${program.args[0]}".${suggestion} "switchyard --help" lists the commands.`,
  );
}
