// Where values and names stand in a JSON text, to the character. It is walked without recursion: however deep a text is
// nested, the stack does not grow. jsonc-parser would tell the same, by recursion and of looser texts.

export type JsonPath = readonly (string | number)[];

/** What is told of a text, in order. A path is good during the call alone. */
export interface JsonVisitor {
  /** @returns true for a value that is taken whole: of what it holds nothing is told */
  takes?(path: JsonPath): boolean;
  /** One that was taken: its first character, and the one behind its last. */
  taken?(path: JsonPath, from: number, to: number): void;
  /** A string that was not, quotes included; `isName` of a name, whose path is that of its value. */
  string?(path: JsonPath, from: number, to: number, isName: boolean): void;
  /** A number, true, false or null that was not. */
  scalar?(path: JsonPath, from: number, to: number): void;
}

const SCALAR = /[^\s,\]}]+/y;

/**
 * Walks a text that JSON.parse takes.
 * @throws SyntaxError for any other, at the latest when it would go on without end
 */
export function walkJson(text: string, visitor: JsonVisitor): void {
  const path: (string | number)[] = [];
  /** How many containers were open where the one began that is taken, and where that is. */
  let takenDepth = Infinity;
  let takenFrom = 0;
  let nameComes = false;
  const begins = (): boolean => takenDepth === Infinity && visitor.takes?.(path) === true;
  const plain = (from: number, to: number, tell: 'string' | 'scalar'): number => {
    if (begins()) visitor.taken?.(path, from, to);
    else if (takenDepth === Infinity) visitor[tell]?.(path, from, to, false);
    return to;
  };
  for (let at = 0; at < text.length;) {
    switch (text.charAt(at)) {
      case '{':
      case '[': {
        if (begins()) [takenDepth, takenFrom] = [path.length, at];
        nameComes = text[at] === '{';
        path.push(nameComes ? '' : 0);
        at += 1;
        break;
      }
      case '}':
      case ']':
        path.pop();
        nameComes = false;
        at += 1;
        if (path.length === takenDepth) {
          takenDepth = Infinity;
          visitor.taken?.(path, takenFrom, at);
        }
        break;
      case ',': {
        const step = path.at(-1);
        if (typeof step === 'number') path[path.length - 1] = step + 1;
        else nameComes = true;
        at += 1;
        break;
      }
      case '"': {
        const to = endOfString(text, at);
        if (nameComes) {
          path[path.length - 1] = stringAt(text, at, to);
          nameComes = false;
          if (takenDepth === Infinity) visitor.string?.(path, at, to, true);
          at = to;
        } else at = plain(at, to, 'string');
        break;
      }
      case ':':
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        at += 1;
        break;
      default:
        SCALAR.lastIndex = at;
        at = plain(at, at + (SCALAR.exec(text)?.[0].length ?? 1), 'scalar');
    }
  }
}

/** The string that stands between two places, its escapes resolved. */
export function stringAt(text: string, from: number, to: number): string {
  const inner = text.slice(from + 1, to - 1);
  return inner.includes('\\') ? (JSON.parse(`"${inner}"`) as string) : inner;
}

/** RFC 6901. */
export const pointerOf = (path: JsonPath): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text[quote - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  throw new SyntaxError('a string has no end');
}
