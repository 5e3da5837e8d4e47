import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SwitchyardError } from '../../../contract/errors.ts';
import * as format from '../../../contract/format.ts';
import {
  listopsFields,
  listopsOperators,
  listopsOptions,
  type ListopsOperator,
  type ListopsOptions,
} from '../../../contract/listops.ts';
import { writeListops } from '../../../data/listopsGenerator.ts';
import { hint, quoted, type Context } from '../context.ts';
import { usageError } from '../failures.ts';
import { notEmpty, wholeNumber } from '../options.ts';

type Options = { out: string } & Partial<ListopsOptions>;

/** `listops`: a file of generated examples to classify. */
export function listops(program: Command, context: () => Context): void {
  const number = (flag: string, name: keyof typeof listopsFields, help: string): void => {
    const { default: value, min } = listopsFields[name];
    command.option(`${flag} <N>`, `${help} (default: ${value})`, wholeNumber(min));
  };
  const command = program
    .command('listops')
    .description('generate ListOps examples: nested operators on digits, labelled with their value')
    .requiredOption(
      '--out <FILE>',
      'new file to write, of lines of label, tab, expression',
      notEmpty,
    );
  number('--examples', 'examples', 'how many, all different');
  number('--depth', 'depth', 'operators nested at most so deep');
  number('--operands', 'operands', 'operands of an operator, from 2 to so many');
  number('--min-length', 'minLength', 'tokens of an expression, at least');
  number('--max-length', 'maxLength', 'tokens of an expression, at most');
  command
    .option('--operators <A,B>', `some of ${listopsOperators.join(',')} (default: all)`, operators)
    .option(
      '--seed <N>',
      `another seed, other examples (default: ${listopsFields.seed.default})`,
      wholeNumber(0),
    )
    .action((options: Options) => {
      const { out: file, ...given } = options;
      generate(context(), resolve(file), listopsOptions(given));
    });
}

function generate(context: Context, path: string, options: ListopsOptions): void {
  if (existsSync(path))
    throw new SwitchyardError(
      'conflict',
      `There is something at ${path} already, and nothing is overwritten. Choose a new file.`,
    );
  writeListops(path, options);
  const { out } = context;
  out.record({ type: 'listops', path, ...options });
  out.line(
    `Wrote ${format.plural(options.examples, 'example')} to ${path}.`,
    out.paint('dim', `Next: ${hint(context, `import ${quoted(path)} --tokenizer listops`)}`),
  );
}

function operators(text: string): ListopsOperator[] {
  const chosen = text.split(',').map((name) => {
    const found = listopsOperators.find((operator) => operator === name.trim().toUpperCase());
    if (found !== undefined) return found;
    throw usageError(
      `--operators has "${name}", but the operators are ${listopsOperators.join(', ')}.`,
    );
  });
  const twice = chosen.find((operator, index) => chosen.indexOf(operator) !== index);
  if (twice === undefined) return chosen;
  throw usageError(`--operators has "${twice}" more than once, but each may be given once.`);
}
