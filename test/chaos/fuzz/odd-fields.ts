// What may stand in the fields of a write and in its options, drawn by chance; about a half of it is valid in some odd way.
import type { Chance } from '../chance.ts';

const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i));
const REDIS_WORDS = [
  'wait',
  'active',
  'delayed',
  'events',
  'meta',
  'marker',
  'id',
  'stalled',
  '0',
  '1',
  '-1',
  'a:b',
  'a:b:c',
  'repeat:x:1',
  '{waybill:orders}',
  '*',
  'orders.dead',
];
export const OBJECT_WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
];
const ODD_TEXTS = [
  '\0',
  '\r\nX-Injected: 1',
  '\n',
  '\u00e4\u00f6',
  '\ud800',
  '\u{1f4a9}',
  '\u2028',
  '\u202e',
  '\u001b[2J',
  '%00',
  '${7*7}',
  '{{7*7}}',
  "';--",
  '<script>',
  ' ',
];
const CREDENTIALS = ['authorization', 'Cookie', 'X-API-Key', 'proxy-authorization', 'x-auth-token', 'api-key'];
const OF_CONNECTION = [
  'Connection',
  'content-length',
  'Expect',
  'HOST',
  'keep-alive',
  'te',
  'Trailer',
  'transfer-encoding',
  'upgrade',
  'idempotency-key',
];
const ODD_HEADERS = [
  'content-type',
  'content-encoding',
  'accept-encoding',
  'accept',
  'x-http-method-override',
  'x-forwarded-for',
  'range',
  'if-match',
  'user-agent',
  'x-request-id',
  'date',
  ...OBJECT_WORDS,
];
const MEGABYTE = 1_000_000;
const RARELY = 0.003;

const ascii = (random: Chance, length: number): string => Array.from({ length }, () => random.pick(ASCII)).join('');

/** Mostly another one each time, so that most inputs are writes of their own. */
export function key(random: Chance, serial: number): unknown {
  const unique = `${serial}`;
  switch (random.between(0, 11)) {
    case 0:
      return `${ascii(random, 255 - unique.length)}${unique}`;
    case 1:
      return random.pick([...REDIS_WORDS, ...OBJECT_WORDS]);
    case 2:
      return `${random.pick([...REDIS_WORDS, ...OBJECT_WORDS])}${unique}`;
    case 3:
      return random.pick(['', ' ', 'k'.repeat(256), 'k'.repeat(100_000), 7, null, {}, ['k'], true]);
    case 4:
      return `${random.pick(ODD_TEXTS)}${unique}`;
    case 5:
      return `${unique}${random.pick(ODD_TEXTS)}`;
    default:
      return `${ascii(random, random.between(1, 40))}${unique}`;
  }
}

export function headers(random: Chance): unknown {
  const name = (): string =>
    random.pick([
      () => `x-${random.between(0, 99)}`,
      () => random.pick(ODD_HEADERS),
      () => random.pick(ODD_HEADERS),
      () => random.pick(CREDENTIALS),
      () => random.pick(OF_CONNECTION),
      () => `x${random.pick(ODD_TEXTS)}`,
      () => random.pick(['', ':', ' x', 'x:y', 'x y', '(x)', 'x'.repeat(9000)]),
    ])();
  const value = (): unknown =>
    random.pick([
      () => ascii(random, random.between(0, 30)),
      () => ascii(random, random.between(0, 30)),
      () => random.pick(['gzip', 'text/plain', 'chunked', '100-continue', '*/*', '\t', '']),
      () => random.pick(ODD_TEXTS),
      () => 'v'.repeat(random.pick([8000, 9000])),
      () => random.pick([1, null, ['a'], {}, true]),
    ])();
  if (random.next() < 0.05) return random.pick([[], 'x: y', 5, [['x', 'y']], null]);
  const count = random.next() < 0.02 ? 70 : random.between(1, 2);
  // Through JSON: a name such as __proto__ is a name then.
  const pairs = Array.from({ length: count }, () => `${JSON.stringify(name())}:${JSON.stringify(value())}`);
  return JSON.parse(`{${pairs.join()}}`) as unknown;
}

const SEGMENTS = [
  '..',
  '.',
  '%2e%2e',
  '%2E.',
  '.%2e',
  '//host',
  '/\\host',
  'http://169.254.169.254/',
  '?',
  '#',
  '?a=b&__proto__=c',
  '%',
  '%zz',
  '%00',
  '%0d%0aX-Injected:1',
  '\r\nX: 1',
  ' HTTP/1.1\r\nHost: x',
  '\u00e4',
  '\u{1f4a9}',
  '\ud800',
  '@host',
  ':80',
  ';p=1',
  'a'.repeat(8000),
  '%2f%2e%2e%2f',
  '[x]',
  '|',
  '~',
  "'",
];

export const path = (random: Chance): unknown =>
  random.next() < 0.03
    ? random.pick([undefined, null, 5, {}, '', '/', 'x', '//', 'https://host/', '*', '/'.repeat(9000)])
    : `/v1/${Array.from({ length: random.between(0, 3) }, () => random.pick([...SEGMENTS, 'profiles'])).join(random.pick(['', '/']))}`;

export function body(random: Chance): unknown {
  if (random.next() < RARELY) return { text: 'x'.repeat(MEGABYTE) };
  if (random.next() < RARELY) return `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  return random.pick([
    () => ({ phone_number: '+4512345678' }),
    () => ({ phone_number: ascii(random, 20), [random.pick(OBJECT_WORDS)]: 1 }),
    () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as unknown,
    () => ({ sandbox: random.pick([{ plan: 'x' }, { plan: [{}] }, { plan: ['no-such-step'] }, null, 5]) }),
    () => '{"n":12345678901234567890123,"m":1e999,"z":-0}',
    () => ({ n: Number.MAX_VALUE, m: Number.NaN, i: Infinity, z: -0 }),
    () => Array.from({ length: 300 }).reduce((deep) => ({ deep }), 'end'),
    () => ({ text: `${random.pick(ODD_TEXTS)}${random.pick(ODD_TEXTS)}` }),
    () => random.pick(ODD_TEXTS),
    () =>
      random.pick([
        null,
        1,
        true,
        [],
        [[[]]],
        '"text"',
        '',
        'not json',
        '{"a":1,"a":2}',
        '{"a":1}  ',
        '\ufeff{}',
        'undefined',
      ]),
    () =>
      random.pick([
        5n,
        Symbol('s'),
        () => 1,
        cycle,
        { toJSON: () => undefined },
        new Map([[1, 2]]),
        new Date(NaN),
        Buffer.from('x'),
      ]),
    () => ({
      toJSON: () => {
        throw new Error('toJSON');
      },
    }),
  ])();
}

export const options = (random: Chance): object =>
  random.pick<() => object>([
    () => ({ delay: random.pick([0, 20, -1, 1.5, Number.NaN, '5', Infinity, 1e15]) }),
    () => ({ priority: random.pick([1, 7, 2_097_151, 0, -1, 2_097_152, '1']) }),
    () => ({ maxAttempts: random.pick([1, 2, 0, 101, '3', null]) }),
    () => ({
      expiresAt: random.pick([1, 1_700_000_000, 1_700_000_000_000, 8.64e15, new Date(NaN), new Date(0), 'soon', -5]),
    }),
    () => ({
      [random.pick([
        'jobId',
        'attempts',
        'backoff',
        'removeOnComplete',
        'parent',
        'repeat',
        'lifo',
        'timestamp',
        ...OBJECT_WORDS,
        'x'.repeat(500),
      ])]: 1,
    }),
  ])();
