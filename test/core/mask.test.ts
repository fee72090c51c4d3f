// Masks of bodies: what is hidden stays hidden, what is left comes back byte for byte, and no mask is ever sent.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WaybillError } from '../../core/errors.ts';
import {
  isJson,
  leavesOf,
  maskBody as mask,
  type MaskedBody,
  maskWordFor,
  misplaced,
  stringsOf,
  unmaskBody as unmask,
} from '../../core/mask.ts';

// As a write that says nothing but its body is masked.
const maskBody = (text: string, pointers: readonly string[]): MaskedBody | undefined =>
  mask(text, pointers, maskWordFor(stringsOf(text)));
const unmaskBody = (edited: string, original: string | undefined, pointers: readonly string[]): string =>
  unmask(edited, original, pointers, maskWordFor(original === undefined ? [] : stringsOf(original)));

const shown = (text: string, ...pointers: string[]): string | undefined => maskBody(text, pointers)?.text;

/** Where a refused mask stands. */
function refusal(edited: string, original: string | undefined, ...pointers: string[]): string | undefined {
  try {
    unmaskBody(edited, original, pointers);
  } catch (error) {
    const { code, field } = error as WaybillError;
    return `${code} ${field}`;
  }
}

describe('a mask', () => {
  test.each([
    ['a string', '{"a":"secret","b":1}', ['/a'], '{"a":"[masked 1]","b":1}'],
    ['a number with all its digits', '{"a": 12345678901234567890 }', ['/a'], '{"a": "[masked 1]" }'],
    [
      'null, true and an empty string',
      '{"a":null,"b":true,"c":""}',
      ['/a', '/b', '/c'],
      '{"a":"[masked 1]","b":"[masked 2]","c":"[masked 3]"}',
    ],
    ['an object whole', '{"card":{"n":"4111","x":[{}]},"z":1}', ['/card'], '{"card":"[masked 1]","z":1}'],
    ['an empty array', '[[],1]', ['/0'], '["[masked 1]",1]'],
    [
      'a value in each element',
      '{"i":[{"iban":"A"},{"iban":"B","n":1}]}',
      ['/i/*/iban'],
      '{"i":[{"iban":"[masked 1]"},{"iban":"[masked 2]","n":1}]}',
    ],
    ['one element', '["a","b"]', ['/1'], '["a","[masked 1]"]'],
    [
      'a name that is written with escapes',
      String.raw`{"c\u0061rd":"x\"}","d":"y"}`,
      ['/card'],
      String.raw`{"c\u0061rd":"[masked 1]","d":"y"}`,
    ],
    ['a name with a slash and a tilde', '{"a/b~":1}', ['/a~1b~0'], '{"a/b~":"[masked 1]"}'],
    ['both values of a name that stands twice', '{"a":1,"a":2}', ['/a'], '{"a":"[masked 1]","a":"[masked 2]"}'],
    ['the outer of two values that rules name', '{"a":{"b":1}}', ['/a/b', '/a'], '{"a":"[masked 1]"}'],
    ['nothing where nothing is named', '{"a":{"b":1}}', ['/a/c', '/b', '/a/b/c'], '{"a":{"b":1}}'],
  ])('stands for %s', (_, text, pointers, expected) => {
    const masked = maskBody(text, pointers);
    expect(masked?.text).toBe(expected);
    expect(unmaskBody(expected, text, pointers)).toBe(text);
    expect(JSON.parse(expected)).toBeDefined();
  });

  test('leaves every other byte as it is, spaces and escapes among them', () => {
    const text = ' {\n\t"a" : "x" ,\r "k\\u00e9y":"\\/\\u0041 \u2028" , "n":1E+400,"m":-0.0 } ';
    expect(shown(text, '/a')).toBe(text.replace('"x"', '"[masked 1]"'));
  });

  test('tells where the masks are, and what they hide', () => {
    expect(maskBody(String.raw`{"a":{"n":41111111,"s":"x\u0041"},"b":[true]}`, ['/a', '/b/*'])).toMatchObject({
      masked: ['/a', '/b/0'],
      values: ['41111111', 'xA', 'true'],
    });
  });

  test('takes another word where the body says the usual one itself', () => {
    const text = String.raw`{"note":"[m\u0061sked 1]","b":"[MASKED-2 9","a":"secret"}`;
    expect(shown(text, '/a')).toBe(text.replace('"secret"', '"[masked-3 1]"'));
    expect(unmaskBody(shown(text, '/a') ?? '', text, ['/a'])).toBe(text);
  });

  test('takes the first word that none of the texts says, whatever number they say', () => {
    expect(maskWordFor(['a [masked-31 1] b', '[masked-2', '[masked 7]']).word).toBe('masked-3');
    expect(maskWordFor(['[masked-2 1]']).word).toBe('masked');
  });

  test('cannot be put into what is no JSON: there none of the text is shown', () => {
    expect(maskBody('<card>4111</card>', ['/card'])).toBeUndefined();
    expect(maskBody('{"card":1,}', ['/card'])).toBeUndefined();
    expect(maskBody('<card>', [])).toEqual({ text: '<card>', masked: [], values: [] });
  });

  test('is found however deep the body is nested', () => {
    const deep = `${'['.repeat(50_000)}1${']'.repeat(50_000)}`;
    const text = `{"a":${deep},"b":"secret"}`;
    expect(shown(text, '/b')).toBe(text.replace('"secret"', '"[masked 1]"'));
    expect(shown(text, '/a', '/b')).toBe('{"a":"[masked 1]","b":"[masked 2]"}');
  });
});

describe('an edited body', () => {
  const ORIGINAL = '{"card":{"number":"4111111111111111","cvc":123},"to":"ann","ids":[12345678901234567890]}';
  const RULES = ['/card/number', '/card/cvc'];

  test('gets its values back, and keeps the digits of numbers elsewhere', () => {
    expect(
      unmaskBody(
        '{ "to":"ben", "card":{"cvc":"[masked 2]","number":"[masked 1]"},"ids":[12345678901234567890, 1e400]}',
        ORIGINAL,
        RULES,
      ),
    ).toBe('{ "to":"ben", "card":{"cvc":123,"number":"4111111111111111"},"ids":[12345678901234567890, 1e400]}');
  });

  test('may say a value in the place of a mask, or leave it out', () =>
    expect(unmaskBody('{"card":{"number":"4000000000000002"}}', ORIGINAL, RULES)).toBe(
      '{"card":{"number":"4000000000000002"}}',
    ));

  test('may write the mask with escapes of its own', () =>
    expect(unmaskBody(String.raw`{"card":{"cvc":"\u005bmasked 2]"}}`, ORIGINAL, RULES)).toBe('{"card":{"cvc":123}}'));

  test.each([
    ['moved to another name', '{"card":{"holder":"[masked 1]"}}', '/card/holder'],
    ['moved to where another one stood', '{"card":{"number":"[masked 2]"}}', '/card/number'],
    ['copied', '{"card":{"number":"[masked 1]"},"note":"[masked 1]"}', '/note'],
    ['twice in its own place', '{"card":{"number":"[masked 1]","number":"[masked 1]"}}', '/card/number'],
    ['a part of a string', '{"to":"ann [masked 1]"}', '/to'],
    ['changed by a hand', '{"card":{"number":"[Masked 1 ]"}}', '/card/number'],
    ['cut short', '{"card":{"number":"[masked"}}', '/card/number'],
    ['with a nought before', '{"card":{"number":"[masked 01]"}}', '/card/number'],
    ['a name', '{"[masked 1]":1}', '/[masked 1]'],
    ['written with escapes elsewhere', String.raw`{"to":"\u005bm\u0061sked 1]"}`, '/to'],
    ['one that hides nothing', '{"card":{"number":"[masked 7]"}}', '/card/number'],
    ['in an array', '{"ids":["[masked 1]"]}', '/ids/0'],
    ['the whole body', '"[masked 1]"', ''],
  ])('is refused with a mask %s', (_, edited, pointer) =>
    expect(refusal(edited, ORIGINAL, ...RULES)).toBe(`MASK_MISPLACED body${pointer}`),
  );

  test('is refused with a mask of rules that have changed since it was shown', () => {
    expect(refusal(shown(ORIGINAL, ...RULES) ?? '', ORIGINAL)).toBe('MASK_MISPLACED body/card/number');
    expect(refusal(shown(ORIGINAL, ...RULES) ?? '', ORIGINAL, '/card/cvc')).toBe('MASK_MISPLACED body/card/number');
  });

  test('is refused with any mask where the original had no body, or one in which nothing could be masked', () => {
    expect(refusal('{"card":"[masked 1]"}', undefined, '/card')).toBe('MASK_MISPLACED body/card');
    expect(refusal('{"card":"[masked 1]"}', '<card>', '/card')).toBe('MASK_MISPLACED body/card');
    expect(unmaskBody('{"card":1}', undefined, ['/card'])).toBe('{"card":1}');
  });

  test('that is refused is told what to do, and of a long name the beginning', () => {
    expect(misplaced('body/card', 'masked-2').message).toMatch(
      /^body\/card: a mask stands .* leave "\[masked-2 …\]" as and where it was shown, or put a value in its stead$/,
    );
    const long = misplaced('x'.repeat(400), 'masked');
    expect(long.field).toBe('x'.repeat(300));
    expect(long.message).toMatch(/^x{300}: /);
  });

  test('that is no JSON is refused', () => expect(refusal('{"card":', ORIGINAL, ...RULES)).toBe('INVALID_WRITE body'));
});

test('the strings of a text are all that it says, names among them; its leaves are not the names, but numbers too', () => {
  const text = String.raw`{"a":["b\u0063",1,{"d":null}],"e":""}`;
  expect(stringsOf(text)).toEqual(['a', 'bc', 'd', 'e', '']);
  expect(leavesOf(text)).toEqual(['bc', '1', 'null', '']);
  expect(stringsOf('<[masked 1]>')).toEqual(['<[masked 1]>']);
  expect([isJson('[1]'), isJson('[1')]).toEqual([true, false]);
});

// Names and strings of few letters, so that rules meet them often; texts with the spaces and escapes that JSON allows.
const name = fc.constantFrom('a', 'b', 'c/d', 'e~', '', '*', '[masked 1]', 'ü\u2028');
const text = fc.oneof(fc.string(), fc.constantFrom('[masked 1]', '[masked-2 1]', '"]}', '\\', '\ud83d\ude00'));
const json = fc.letrec<{ value: string }>((tie) => {
  const space = fc.constantFrom('', ' ', '\n\t', '\r');
  const quoted = (from: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(from, fc.boolean()).map(([said, escaped]) => (escaped ? escapeAll(said) : JSON.stringify(said)));
  const member = fc
    .tuple(space, quoted(name), space, tie('value'))
    .map(([a, key, b, value]) => `${a}${key}${b}:${value}`);
  return {
    value: fc
      .tuple(
        space,
        fc.oneof(
          { maxDepth: 4, withCrossShrink: true },
          fc.oneof(
            quoted(text),
            fc.constantFrom('0', '-1.50', '12345678901234567890', '1E+400', 'true', 'null', '{}', '[ ]'),
          ),
          fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
          fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(',')}]`),
        ),
        space,
      )
      .map((parts) => parts.join('')),
  };
}).value;
const step = fc.constantFrom('a', 'b', 'c~1d', 'e~0', '*', '0', '1');
const rules = fc.array(
  fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => `/${steps.join('/')}`),
  { maxLength: 4 },
);

const escapeAll = (said: string): string =>
  `"${Array.from({ length: said.length }, (_, i) => `\\u${said.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;

test('whatever the body and the rules are, unmasking what was masked gives the body back, byte for byte', () =>
  fc.assert(
    fc.property(json, rules, (body, pointers) => {
      const masked = maskBody(body, pointers);
      JSON.parse(masked?.text ?? '');
      if (body.isWellFormed()) expect(unmaskBody(masked?.text ?? '', body, pointers)).toBe(body);
    }),
    { numRuns: 2000 },
  ));

test('whatever the body is, no masked text occurs in what is shown, but where it also stands unmasked', () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'k'), fc.stringMatching(/^[g-z"\\]{6,12}$/)), { minLength: 1 }),
      (members) => {
        const body = `{${members.map(([key, said]) => `"${key}":[{"v":${JSON.stringify(said)}}]`).join(',')}}`;
        const masked = maskBody(body, ['/a/*/v', '/b']);
        const open = members.filter(([key]) => key === 'k').map(([, said]) => said);
        for (const [key, said] of members) {
          if (key === 'k' || open.some((other) => other.includes(said))) continue;
          expect(masked?.text).not.toContain(JSON.stringify(said).slice(1, -1));
          expect(masked?.values).toContain(said);
        }
      },
    ),
  ));
