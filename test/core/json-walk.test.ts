// Where values and names stand in a JSON text. What is masked and found by it is tested with the masks.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonVisitor, pointerOf, stringAt, walkJson } from '../../core/json-walk.ts';

/** All that a visitor is told, in order: how, where and of which characters. */
function told(text: string, takes?: (pointer: string) => boolean): string[] {
  const all: string[] = [];
  const tell =
    (how: string) =>
    (path: readonly (string | number)[], from: number, to: number, isName?: boolean): void =>
      void all.push(`${isName ? 'name' : how} ${pointerOf(path)} ${text.slice(from, to)}`);
  walkJson(text, {
    ...(takes && { takes: (path) => takes(pointerOf(path)) }),
    taken: tell('taken'),
    string: tell('string'),
    scalar: tell('scalar'),
  });
  return all;
}

test('each name, string and other value is told of in order, by its place', () =>
  expect(told('{"a": [1, "x", {}, "y", [ ], {"b" :null}], "c":"\\""}')).toEqual([
    'name /a "a"',
    'scalar /a/0 1',
    'string /a/1 "x"',
    'string /a/3 "y"',
    'name /a/5/b "b"',
    'scalar /a/5/b null',
    'name /c "c"',
    'string /c "\\""',
  ]));

test.each([
  ['"x"', 'string  "x"'],
  [' -1.5e3 ', 'scalar  -1.5e3'],
])('a text that is one value (%s) is that value, at the root', (text, only) => expect(told(text)).toEqual([only]));

test('of what is taken nothing is told but where it stands, and all behind it is told again', () =>
  expect(told('{"a":{"b":["x",1,{"c":2}]},"d":"y","e":3}', (pointer) => pointer === '/a' || pointer === '/d')).toEqual([
    'name /a "a"',
    'taken /a {"b":["x",1,{"c":2}]}',
    'name /d "d"',
    'taken /d "y"',
    'name /e "e"',
    'scalar /e 3',
  ]));

test('a visitor may take a value, and not ask where it stands', () => {
  const strings: string[] = [];
  const text = '{"a":{"b":"x"},"c":"y","d":"z"}';
  const visitor: JsonVisitor = {
    takes: (path) => path.length === 1 && path[0] !== 'd',
    string: (_path, from, to) => void strings.push(stringAt(text, from, to)),
  };
  walkJson(text, visitor);
  expect(strings).toEqual(['a', 'c', 'd', 'z']);
});

test('a string ends at the first quote that is not escaped, whatever number of backslashes stands before it', () => {
  for (const inner of ['', '\\\\', '\\"', '\\\\\\"', 'a\\\\\\\\', '\\\\\\\\\\"b'])
    expect(told(`["${inner}",0]`), inner).toEqual([`string /0 "${inner}"`, 'scalar /1 0']);
});

test('a pointer escapes the tilde and the slash', () => expect(pointerOf(['a/b', 'c~d', 0, ''])).toBe('/a~1b/c~0d/0/'));

test('of what is no JSON the walk ends too, with no error but a SyntaxError', () => {
  expect(() => told('"no end\\"')).toThrow(new SyntaxError('a string has no end'));
  const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '\\', '1', '\u00a0', '\f', ' ');
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      try {
        told(pieces.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    }),
    { numRuns: 500 },
  );
});
