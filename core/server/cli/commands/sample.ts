import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Context } from '../context.ts';
import * as format from '../../../contract/format.ts';
import { decimal, wholeNumber } from '../options.ts';
import { withCore } from '../session.ts';

interface Options {
  prompt: string;
  tokens?: number;
  temperature?: number;
  topK?: number;
  seed?: number;
  checkpoint?: 'best' | 'last';
}

/** `--checkpoint best|last`. */
export function checkpointOption(): Option {
  return new Option('--checkpoint <which>', 'which checkpoint to take (default: best)').choices([
    'best',
    'last',
  ]);
}

/** A model continues what it is given, so there must be something; white space is. */
function prompt(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** `sample`: a run continues a text. */
export function sample(program: Command, context: () => Context): void {
  program
    .command('sample')
    .description('let a run continue a text')
    .argument('<run>', 'name, id, or the beginning of an id')
    .requiredOption('--prompt <TEXT>', 'text to continue', prompt)
    .option('--tokens <N>', 'tokens to generate', wholeNumber(1))
    .option('--temperature <X>', '0 takes the likeliest token every time', decimal(0))
    .option('--top-k <N>', 'draw among the N likeliest tokens only', wholeNumber(1))
    .option('--seed <N>', 'the same seed gives the same text', wholeNumber(0))
    .addOption(checkpointOption())
    .action(async (run: string, options: Options) => {
      const { out } = context();
      await withCore(context(), async ({ client }) => {
        let streamed = '';
        const { id } = await client.call('runs.get', { run });
        const unsubscribe = client.subscribe((event) => {
          if (event.type !== 'sample-token' || event.runId !== id) return;
          out.record(event);
          if (streamed === '') out.text(options.prompt);
          streamed += event.text;
          out.text(event.text);
        });
        try {
          const result = await client.call('runs.sample', { run: id, ...options });
          out.record({ type: 'sample', runId: id, prompt: options.prompt, ...result });
          // The events are a courtesy: whatever did not come by them comes now.
          if (streamed === '') out.text(options.prompt);
          if (result.text.startsWith(streamed)) out.text(result.text.slice(streamed.length));
          out.line('');
          if (!out.json)
            out.note(
              out.paint(
                'dim',
                `${format.plural(result.tokens, 'token')} in ${format.duration(result.milliseconds / 1000)}, ` +
                  `checkpoint of step ${format.whole(result.step)}`,
              ),
            );
        } finally {
          unsubscribe();
        }
      });
    });
}
