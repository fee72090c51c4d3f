// What an API that hates its clients may answer: each attack by its name.
import { gzipSync } from 'node:zlib';
import type { Chance } from '../chance.ts';
import { type Answer, type Attack, drip, head, json, oneOf, raw, whole } from './answers.ts';
import { ECHOES } from './echoes.ts';

const ESC = '\u001b';
const BOMB = gzipSync(Buffer.alloc(8 * 1024 * 1024));
const RESET_AFTER_MS = 5;

const STATUSES = [400, 404, 409, 422, 429, 500, 502, 503];

/** Words by which BullMQ tells its own errors from others. */
const CONTROL_WORDS = [
  'bullmq:rateLimitExceeded',
  'bullmq:movedToDelayed',
  'bullmq:movedToWait',
  'bullmq:movedToWaitingChildren',
  'UnrecoverableError',
  'job stalled more than allowable limit',
  'job started more than allowable limit',
];
const RETRY_AFTERS = [
  '-1',
  'NaN',
  '1e99',
  'Infinity',
  '0x10',
  '99999999999999999999',
  '1.5.2',
  'Sun, 99 Foo 20x6 99:99:99 GMT',
  '  ',
  '-0',
  '1,2',
  '\u00b2',
  '9'.repeat(5000),
];
const TERMINAL = `${ESC}[2J${ESC}]0;owned\u0007${ESC}[31m\u009b1m\u0000\u202e\u2028\r\n<script>alert(1)</script>`;
const POLLUTION =
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"code":{"__proto__":{"polluted":1}},"details":{"__proto__":{"polluted":1}},"error":{"__proto__":{"polluted":1},"code":"__proto__"}}';

const ATTACKS: Readonly<Record<string, Attack>> = {
  ok: { answer: json(201, { request_id: 'req_hostile' }), succeeds: true },
  'length-too-long': { answer: raw(`${head(201, { 'content-length': 5000 })}{}`), succeeds: true },
  'length-too-long-500': { answer: raw(`${head(500, { 'content-length': 5000 })}{}`) },
  'length-too-short': { answer: raw(`${head(400, { 'content-length': 2 })}{"code":"x"}${'z'.repeat(3000)}`) },
  'length-is-none': {
    answer: oneOf(
      ...['-5', 'NaN', '1e3', '0x10', '99999999999999999999', ''].map((length) =>
        raw(`${head(400, { 'content-length': length })}{}`),
      ),
    ),
  },
  'two-lengths': { answer: raw(`HTTP/1.1 422 X\r\ncontent-length: 2\r\ncontent-length: 200\r\n\r\n{}`) },
  'length-and-chunks': {
    answer: raw(`HTTP/1.1 400 X\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`),
  },
  'chunks-of-garbage': {
    answer: oneOf(
      ...[
        'zzz\r\n',
        'FFFFFFFFFFFFFFFFF\r\nx',
        '-1\r\n',
        '5;a="\r\nhel',
        '\r\n\r\n',
        `${'0'.repeat(5000)}5\r\nhello`,
      ].map((chunk) => raw(`${head(400, { 'transfer-encoding': 'chunked' })}${chunk}`)),
    ),
  },
  trailers: {
    answer: raw(
      `${head(400, { 'transfer-encoding': 'chunked', trailer: 'x-request-id' })}2\r\n{}\r\n0\r\nx-request-id: trailed\r\nset-cookie: a=b\r\n\r\n`,
    ),
  },
  'huge-header': { answer: raw(head(400, { 'x-request-id': 'r'.repeat(200_000), 'content-length': 0 })) },
  'thousands-of-headers': {
    answer: raw(head(400, Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x-${i}`, i])))),
  },
  'headers-injected': {
    answer: oneOf(
      ...['a\rX-Injected: 1', 'a\0b', 'a\r\n folded', '\u00ff\u00fe', `${ESC}[2J`, '\nHTTP/1.1 200 OK'].map((value) =>
        raw(`${head(400, { 'x-request-id': value, 'content-length': 2 })}{}`),
      ),
    ),
  },
  'no-status-line': {
    answer: oneOf(
      ...[
        'HTTP/9.9 500 X\r\n\r\n',
        'HTTP/1.1 99999 X\r\n\r\n',
        'HTTP/1.1\r\n\r\n',
        'ICY 500 X\r\n\r\n',
        '\0\0\0\0',
        '\u0016\u0003\u0001\u0002\0\u0001',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'HTTP/1.1 -1 X\r\n\r\n',
        'GET / HTTP/1.1\r\n\r\n',
        '\r\n'.repeat(50),
      ].map(raw),
    ),
  },
  'odd-status': {
    answer: oneOf(
      ...['100', '000', '199', '304', '305', '399', '418', '499', '598', '600', '999'].map((status) =>
        raw(head(status, { 'content-length': 0 })),
      ),
    ),
  },
  'flood-of-hints': {
    answer: raw(
      `${'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(2000)}${head(400, { 'content-length': 0 })}`,
    ),
  },
  'endless-hints': { answer: (socket) => drip(socket, () => 'HTTP/1.1 100 Continue\r\n\r\n', 5) },
  'switching-protocols': {
    answer: raw(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\u0081\u0005hello',
    ),
  },
  'gzip-bomb': {
    answer: oneOf(
      whole(500, BOMB, { 'content-encoding': 'gzip', 'content-type': 'application/json' }),
      whole(422, BOMB, { 'content-encoding': 'gzip' }),
    ),
  },
  binary: {
    answer: (socket, random) =>
      whole(random.pick(STATUSES), Buffer.from(Array.from({ length: 300 }, () => random.between(0, 255))))(
        socket,
        random,
        '',
      ),
  },
  pollution: { answer: oneOf(json(400, POLLUTION), json(500, POLLUTION), json(422, `[${POLLUTION}]`)) },
  'megabyte-code': {
    answer: oneOf(
      json(400, { code: 'C'.repeat(1_000_000), message: 'm' }),
      json(422, { code: 'x', message: '\u202e'.repeat(300_000), request_id: 'r'.repeat(300_000) }),
    ),
  },
  'no-texts': {
    answer: oneOf(
      ...[
        { code: { a: 1 }, message: [1], request_id: {} },
        { code: null },
        { code: true, details: [[[]]] },
        [],
        1,
        null,
        '"text"',
        '',
      ].map((value) => json(400, value)),
    ),
  },
  terminal: {
    answer: oneOf(
      json(400, { code: TERMINAL, message: TERMINAL, request_id: TERMINAL, details: { [TERMINAL]: TERMINAL } }),
      whole(422, TERMINAL),
      json(500, { error: { code: TERMINAL } }),
    ),
  },
  'control-words': {
    answer: oneOf(
      ...CONTROL_WORDS.flatMap((words) => [
        json(400, { code: words, message: words, request_id: words }),
        json(500, { code: words, message: words }),
        whole(502, words),
      ]),
    ),
  },
  'retry-after': {
    answer: oneOf(
      ...RETRY_AFTERS.flatMap((value) => [
        json(429, { code: 'SLOW' }, { 'retry-after': value }),
        json(503, {}, { 'retry-after': value }),
      ]),
    ),
  },
  'replayed-headers': {
    answer: oneOf(
      ...['true', 'TRUE', 'true, true', '1', ' ', '\u00ff'].map((value) =>
        json(500, {}, { 'idempotent-replayed': value }),
      ),
    ),
  },
  'deep-details': {
    answer: oneOf(
      json(400, `{"code":"deep","details":${'['.repeat(5000)}${']'.repeat(5000)}}`),
      json(400, `{"code":"deep","details":${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}}`),
      json(422, '['.repeat(60_000)),
    ),
  },
  'odd-numbers': {
    answer: json(
      400,
      '{"code":1e400,"message":-0,"request_id":123456789012345678901234567890,"details":{"n":1E+5000}}',
    ),
  },
  'odd-text': {
    answer: oneOf(
      whole(400, Buffer.from('\ufeff{"code":"bom"}')),
      whole(400, Buffer.from('{"code":"utf16"}', 'utf16le')),
      json(400, '{"code":"\\ud800","message":"\\udfff\\ud800"}'),
      whole(422, Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])),
    ),
  },
  redirects: {
    answer: oneOf(
      ...[301, 302, 303, 307, 308].map((status) =>
        json(status, {}, { location: 'http://169.254.169.254/latest/meta-data' }),
      ),
    ),
  },
  cookies: {
    answer: json(401, { code: 'WHO' }, { 'set-cookie': 'session=stolen', 'www-authenticate': 'Basic realm="x"' }),
  },
  'big-answer': {
    answer: oneOf(whole(500, 'b'.repeat(2_000_000)), whole(400, `{"code":"big","message":"${'x'.repeat(400_000)}"}`)),
  },
  'one-answer-too-many': {
    answer: raw(`${head(400, { 'content-length': 2 })}{}${head(400, { 'content-length': 2 })}{}`),
  },
  drip: { answer: (socket) => drip(socket, () => 'x', 20, head(500, { 'content-length': 100_000 })) },
  'drip-of-headers': {
    answer: (socket, random) => drip(socket, () => `x-${random.between(0, 9)}: y\r\n`, 20, 'HTTP/1.1 500 X\r\n'),
  },
  silence: { answer: () => {} },
  reset: { answer: (socket) => void socket.resetAndDestroy() },
  'reset-in-body': {
    answer: (socket) => {
      socket.write(head(500, { 'content-length': 100 }));
      setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS);
    },
  },
  'end-without-a-word': { answer: (socket) => void socket.end() },
  ...ECHOES,
};

/** Each of them holds a slot until the worker's time limit: they are rare. */
const SLOW: ReadonlySet<string> = new Set(['silence', 'drip', 'drip-of-headers', 'endless-hints']);
const SLOW_SHARE = 0.03;
const SLOW_NAMES = Object.keys(ATTACKS).filter((name) => SLOW.has(name));
const QUICK_NAMES = Object.keys(ATTACKS).filter((name) => !SLOW.has(name));

export const drawAttack = (random: Chance): string =>
  random.next() < SLOW_SHARE ? random.pick(SLOW_NAMES) : random.pick(QUICK_NAMES);

export const answerOf = (name: string): Answer | undefined =>
  Object.hasOwn(ATTACKS, name) ? ATTACKS[name]?.answer : undefined;

export const attackSucceeds = (name: string): boolean => ATTACKS[name]?.succeeds === true;
