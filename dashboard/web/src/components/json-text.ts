// JSON as text: checked, coloured and laid out token by token. No number is ever made a number, so that digits stay as
// they are; every token keeps its JSON pointer, so that masked values can be told.

export type TokenKind = 'key' | 'string' | 'number' | 'word' | 'mark' | 'space';

export interface JsonToken {
  kind: TokenKind;
  text: string;
  /** Of a value: where it stands (RFC 6901). */
  pointer?: string;
}

export interface JsonFault {
  /** Offset in the text, and the same as a line and a column from 1. */
  at: number;
  line: number;
  column: number;
  message: string;
}

export type ReadJson = { tokens: JsonToken[]; fault?: never } | { fault: JsonFault; tokens?: never };

type Expect = 'value' | 'value-or-close' | 'key' | 'key-or-close' | 'colon' | 'comma-or-close' | 'end';

interface Container {
  close: '}' | ']';
  pointer: string;
  index: number;
  key: string;
}

const SPACE = /[ \t\n\r]*/y;
// oxlint-disable-next-line no-control-regex -- control characters are what JSON forbids in a string
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

const WANTED: Record<Expect, string> = {
  value: 'a value',
  'value-or-close': 'a value or ]',
  key: 'a name in double quotes',
  'key-or-close': 'a name in double quotes or }',
  colon: 'a colon',
  'comma-or-close': 'a comma or the end of the list',
  end: 'nothing more',
};

/** Goes through JSON text (RFC 8259). A text that is none has a fault: where, and what was expected there. */
export function readJson(text: string): ReadJson {
  const tokens: JsonToken[] = [];
  const open: Container[] = [];
  let expect: Expect = 'value';
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (token: JsonToken): void => {
    tokens.push(token);
    at += token.text.length;
  };
  const here = (): string => {
    const within = open.at(-1);
    if (!within) return '';
    return `${within.pointer}/${within.close === ']' ? String(within.index) : pointerPart(within.key)}`;
  };
  const done = (): Expect => (open.length === 0 ? 'end' : 'comma-or-close');

  for (;;) {
    at += match(SPACE)?.length ?? 0;
    const char = text[at];
    if (char === undefined) break;
    const within: Container | undefined = open.at(-1);
    if (expect === 'value' || expect === 'value-or-close') {
      if (char === '{' || char === '[') {
        open.push({ close: char === '{' ? '}' : ']', pointer: here(), index: 0, key: '' });
        push({ kind: 'mark', text: char });
        expect = char === '{' ? 'key-or-close' : 'value-or-close';
        continue;
      }
      if (char !== ']' || expect === 'value') {
        const value = valueAt(char, match);
        if (value === undefined) break;
        push({ ...value, pointer: here() });
        expect = done();
        continue;
      }
    }
    if (expect === 'key' || expect === 'key-or-close') {
      const name = match(STRING);
      if (name !== undefined && within) {
        within.key = JSON.parse(name) as string;
        push({ kind: 'key', text: name });
        expect = 'colon';
        continue;
      }
    }
    if (expect === 'colon' && char === ':') {
      push({ kind: 'mark', text: char });
      expect = 'value';
      continue;
    }
    if (expect === 'comma-or-close' && char === ',' && within) {
      push({ kind: 'mark', text: char });
      within.index++;
      expect = within.close === '}' ? 'key' : 'value';
      continue;
    }
    if (expect.endsWith('-or-close') && within && char === within.close) {
      open.pop();
      push({ kind: 'mark', text: char });
      expect = done();
      continue;
    }
    break;
  }
  return expect === 'end' && at === text.length ? { tokens } : { fault: faultAt(text, at, expect) };
}

function valueAt(char: string, match: (pattern: RegExp) => string | undefined): JsonToken | undefined {
  const [kind, pattern]: [TokenKind, RegExp] =
    char === '"'
      ? ['string', STRING]
      : char === '-' || (char >= '0' && char <= '9')
        ? ['number', NUMBER]
        : ['word', WORD];
  const text = match(pattern);
  return text === undefined ? undefined : { kind, text };
}

const pointerPart = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

function faultAt(text: string, at: number, expect: Expect): JsonFault {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const badString = text[at] === '"' && (expect.startsWith('value') || expect.startsWith('key'));
  const wanted = badString ? 'a closed string without raw control characters or wrong escapes' : WANTED[expect];
  const where = at >= text.length ? 'the text ends' : `there is ${JSON.stringify(text.slice(at, at + 1))}`;
  return { at, line, column, message: `Line ${line}, column ${column}: expected ${wanted}, but ${where}` };
}

const INDENT = '  ';

/** The same tokens with line breaks and indents between them, for reading. */
export function layOut(tokens: readonly JsonToken[]): JsonToken[] {
  const laid: JsonToken[] = [];
  let depth = 0;
  const breakLine = (): void => void laid.push({ kind: 'space', text: `\n${INDENT.repeat(depth)}` });
  tokens.forEach((token, index) => {
    const opens = token.kind === 'mark' && (token.text === '{' || token.text === '[');
    const closes = token.kind === 'mark' && (token.text === '}' || token.text === ']');
    const before = tokens[index - 1];
    const wasOpened = before?.kind === 'mark' && (before.text === '{' || before.text === '[');
    if (closes) depth--;
    if (closes && !wasOpened) breakLine();
    if (!closes && (wasOpened || (before?.kind === 'mark' && before.text === ','))) breakLine();
    if (before?.kind === 'mark' && before.text === ':') laid.push({ kind: 'space', text: ' ' });
    laid.push(token);
    if (opens) depth++;
  });
  return laid;
}

/** JSON text laid out, its tokens unchanged; a text that is no JSON stays as it is. */
export function prettyJson(text: string): string {
  const read = readJson(text);
  return read.tokens ? textOf(layOut(read.tokens)) : text;
}

const textOf = (tokens: readonly JsonToken[]): string => tokens.map((token) => token.text).join('');
