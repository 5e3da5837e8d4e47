/**
 * Where and why a text stops being JSON. `JSON.parse` names no position for some faults (a stray
 * character in a short text), and a person needs one. This only finds the first fault; it builds
 * nothing.
 */

export interface JsonFault {
  /** Both from 1. */
  line: number;
  column: number;
  /** What would be right there. */
  expected: string;
  /** What is there: a character in quotes, or "the end of the file". */
  found: string;
}

class Fault extends Error {
  readonly at: number;
  constructor(at: number, expected: string) {
    super(expected);
    this.at = at;
  }
}

/** The first fault of a text, or undefined if it is JSON. */
export function findJsonFault(text: string): JsonFault | undefined {
  try {
    const end = skipSpace(text, value(text, skipSpace(text, 0)));
    if (end < text.length) throw new Fault(end, 'nothing more after the value');
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const before = text.slice(0, error.at);
    const character = [...text.slice(error.at, error.at + 2)][0];
    return {
      line: before.split('\n').length,
      column: error.at - before.lastIndexOf('\n'),
      expected: error.message,
      found: character === undefined ? 'the end of the file' : JSON.stringify(character),
    };
  }
}

function skipSpace(text: string, from: number): number {
  return from + match(/[ \t\r\n]*/y, text, from).length;
}

/** What a sticky expression matches at a position; empty if nothing. */
function match(expression: RegExp, text: string, at: number): string {
  expression.lastIndex = at;
  return expression.exec(text)?.[0] ?? '';
}

/** Each of these takes the position of its first character and returns the one after its last. */
function value(text: string, at: number): number {
  const first = text.at(at);
  if (first === '{') return members(text, at, '}', member);
  if (first === '[') return members(text, at, ']', value);
  if (first === '"') return string(text, at, 'a value');
  const literal = match(
    /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y,
    text,
    at,
  );
  if (literal === '')
    throw new Fault(at, 'a value (a number, a text in double quotes, {…} or […])');
  return at + literal.length;
}

function member(text: string, at: number): number {
  const colon = skipSpace(text, string(text, at, 'a name in double quotes'));
  if (text.at(colon) !== ':') throw new Fault(colon, '":" after the name');
  return value(text, skipSpace(text, colon + 1));
}

function members(
  text: string,
  open: number,
  close: string,
  one: (text: string, at: number) => number,
): number {
  let at = skipSpace(text, open + 1);
  if (text.at(at) === close) return at + 1;
  while (true) {
    at = skipSpace(text, one(text, at));
    if (text.at(at) === close) return at + 1;
    if (text.at(at) !== ',') throw new Fault(at, `"," or "${close}"`);
    at = skipSpace(text, at + 1);
  }
}

function string(text: string, at: number, expected: string): number {
  if (text.at(at) !== '"') throw new Fault(at, expected);
  const inside = match(/(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y, text, at + 1);
  const end = at + 1 + inside.length;
  if (text.at(end) !== '"') throw new Fault(end, 'the closing double quote of a text');
  return end + 1;
}
