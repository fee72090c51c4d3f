import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prettyJson, readJson } from '../../dashboard/web/src/components/json-text.ts';

describe('JSON as text', () => {
  test('laid out, digits and escapes stay as they came', () => {
    expect(prettyJson('{"a":12345678901234567890,"b":[1.10,{},[ ]],"c":"\\u00e9"}')).toBe(
      '{\n  "a": 12345678901234567890,\n  "b": [\n    1.10,\n    {},\n    []\n  ],\n  "c": "\\u00e9"\n}',
    );
  });

  test('what is no JSON is left as it is', () => {
    expect(prettyJson('<html>502</html>')).toBe('<html>502</html>');
  });

  test('any JSON reads, and lays out as JSON.stringify would; what JSON.parse refuses is refused', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        // -0 is a number that stringify would change.
        fc.pre(!/-0(?![.\d])/.test(text));
        expect(prettyJson(JSON.stringify(JSON.parse(text)))).toBe(JSON.stringify(JSON.parse(text), undefined, 2));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"0-1.eEtrue null\\\n\t')) }), (text) => {
        expect(readJson(text).fault === undefined).toBe(parses(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('each value knows its JSON pointer', () => {
    const { tokens = [] } = readJson('{"a/b":[1,{"c~d":"x"}],"e":null}');
    expect(tokens.flatMap(({ pointer, text }) => (pointer === undefined ? [] : [[pointer, text]]))).toEqual([
      ['/a~1b/0', '1'],
      ['/a~1b/1/c~0d', '"x"'],
      ['/e', 'null'],
    ]);
  });

  test.each([
    ['[1,\n 2,\n x]', 'Line 3, column 2: expected a value, but there is "x"'],
    ['{"a":1', 'Line 1, column 7: expected a comma or the end of the list, but the text ends'],
    ['{"a" 1}', 'Line 1, column 6: expected a colon, but there is "1"'],
    [
      '"a',
      'Line 1, column 1: expected a closed string without raw control characters or wrong escapes, but there is "\\""',
    ],
    ['', 'Line 1, column 1: expected a value, but the text ends'],
  ])('%j is told where it is wrong', (text, message) => {
    expect(readJson(text).fault?.message).toBe(message);
  });

  test('neither a long string nor a deep nesting is too much', () => {
    expect(readJson(JSON.stringify('\\"x'.repeat(500_000))).fault).toBeUndefined();
    expect(readJson('['.repeat(50_000) + ']'.repeat(50_000)).fault).toBeUndefined();
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
