/**
 * Files of ListOps examples, one a line: the value as label, a tab, the expression. Lines may end with
 * LF or CR LF, the last one with nothing. Nothing is skipped: a line that is not an example, or whose
 * label is not the value of its expression, is an error.
 */
import { SwitchyardError } from '../contract/errors.ts';
import { firstClassToken, parseListops } from './listops.ts';
import { textBlocks, type TextSource } from './textSource.ts';

const newline = 0x0a;
/** In bytes. Without a limit, a file without line ends would have to be held in memory. */
const longestLine = 2 ** 20;

/** The byte at which the last `validationShare` of the lines begins. */
export async function splitExamples(source: TextSource, validationShare: number): Promise<number> {
  const { lines } = await measureLines(source, source.bytes);
  const training = lines - Math.round(lines * validationShare);
  return training === 0 ? 0 : (await measureLines(source, source.bytes, training)).bytes;
}

/**
 * The tokens of every line between two bytes, each example followed by its class token.
 * @param range.start a line starts here
 * @yields the tokens of some lines, and the byte at which the next ones start
 * @throws SwitchyardError `invalid-data` that names the line
 */
export async function* encodeExamples(
  source: TextSource,
  { start, end }: { start: number; end: number },
): AsyncGenerator<{ tokens: number[]; done: number }, void, undefined> {
  let { lines: line } = await measureLines(source, start);
  let done = start;
  for await (const block of textBlocks(source, { start, end, blockBytes: 2 ** 16 }, lineCut)) {
    const tokens: number[] = [];
    for (const text of block.toString('utf8').replace(/\n$/u, '').split('\n')) {
      line++;
      // Not by spread: an expression may have more tokens than a call may have arguments.
      for (const token of encodeExample(text, `${source.path}, line ${line}`)) tokens.push(token);
    }
    done += block.length;
    yield { tokens, done };
  }
}

function lineCut(bytes: Buffer): number {
  const last = bytes.lastIndexOf(newline);
  return last >= 0 ? last + 1 : bytes.length > longestLine ? bytes.length : 0;
}

function encodeExample(line: string, where: string): number[] {
  const wrong = (what: string): SwitchyardError =>
    new SwitchyardError('invalid-data', `${where} ${what}`);
  const rule = 'a line of ListOps data is a label from 0 to 9, a tab and an expression';
  if (line.length > longestLine) throw wrong(`is longer than 1 MiB; ${rule}.`);
  if (line.startsWith('\ufeff'))
    throw wrong('begins with a byte-order mark. Save the file as UTF-8 without one.');
  const text = line.replace(/\r$/u, '');
  const tab = text.indexOf('\t');
  if (tab < 0) throw wrong(`is ${shown(text)}, without a tab; ${rule}.`);
  const [label, expression] = [text.slice(0, tab), text.slice(tab + 1)];
  if (!/^[0-9]$/u.test(label)) throw wrong(`has the label ${shown(label)}; ${rule}.`);
  const { tokens, value } = parseListops(expression, where);
  if (value !== Number(label))
    throw wrong(
      `has the label ${label}, but the value of its expression is ${value}: ${shown(expression)}. Correct the label or the expression.`,
    );
  return [...tokens, firstClassToken + value];
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** The first lines before `end`, at most `atMost`: how many there are, and their bytes. */
async function measureLines(
  source: TextSource,
  end: number,
  atMost = Infinity,
): Promise<{ lines: number; bytes: number }> {
  let lines = 0;
  let bytes = 0;
  let closed = true;
  const range = { start: 0, end, blockBytes: 2 ** 20 };
  for await (const block of textBlocks(source, range, (all) => all.length)) {
    for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) {
      lines++;
      if (lines === atMost) return { lines, bytes: bytes + at + 1 };
    }
    bytes += block.length;
    closed = block.at(-1) === newline;
  }
  return { lines: closed ? lines : lines + 1, bytes };
}
