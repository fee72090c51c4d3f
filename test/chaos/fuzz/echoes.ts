// Attacks that give a client its own credential back, as debugging pages and careless APIs do: as it is or encoded, whole,
// in pieces or cut in two by a cap. Nothing that is kept may hold it.
import type { Chance } from '../chance.ts';
import { type Answer, type Attack, head, json, raw, whole } from './answers.ts';

/** Between two packets, so that they are read one by one. */
const PACKET_EVERY_MS = 5;
/** Of a message and of a code, as core/envelope.ts keeps them. */
const CAPS = [2000, 128];
const STATUSES = [400, 401, 403, 409, 422, 429, 500, 503];

/** @param request its head @returns the credential that stands in it, empty for none */
export const credentialIn = (request: string): string => /\r\nx-api-key: *([^\r\n]*)/i.exec(request)?.[1] ?? '';

const inHex = (text: string, before: string, digits: number): string =>
  Array.from(text, (character) => before + (character.codePointAt(0) ?? 0).toString(16).padStart(digits, '0')).join('');

/** Every way to write it that core/redact.ts takes out of what is kept, beside those of JSON. */
export const formsOf = (credential: string): string[] => [
  credential,
  credential.toUpperCase(),
  encodeURIComponent(credential),
  Buffer.from(credential).toString('base64'),
  Buffer.from(credential).toString('base64url'),
];

/** As the text of a JSON string: JSON may write any character by its number. */
const inJson = (text: string, random: Chance): string => (random.next() < 0.5 ? text : inHex(text, '\\u', 4));

const echo =
  (answerWith: (said: string, random: Chance) => Answer): Answer =>
  (socket, random, request) =>
    answerWith(random.pick(formsOf(credentialIn(request))), random)(socket, random, request);

/** In two packets, which part in the middle of what is said. */
const parted =
  (first: string, second: string): Answer =>
  (socket) => {
    socket.setNoDelay(true);
    socket.write(first);
    setTimeout(() => socket.write(second), PACKET_EVERY_MS);
  };

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const envelopeWith = (said: string): string =>
  `{"code":"${said}","message":"no such key: ${said}","request_id":"${said}","details":{"key":"${said}","${said}":["${said}"]}}`;

export const ECHOES: Readonly<Record<string, Attack>> = {
  'echo-in-envelope': {
    answer: echo((said, random) => json(random.pick(STATUSES), envelopeWith(inJson(said, random)))),
  },
  'echo-in-headers': {
    answer: echo((said, random) =>
      json(random.pick(STATUSES), '{}', {
        'x-request-id': said,
        'retry-after': said,
        'www-authenticate': `Key realm="${said}"`,
        [`x-${said.replaceAll(/[^\w-]/g, '')}`]: said,
      }),
    ),
  },
  'echo-in-status-line': {
    answer: echo((said, random) => raw(`HTTP/1.1 ${random.pick(STATUSES)} ${said}\r\ncontent-length: 2\r\n\r\n{}`)),
  },
  'echo-of-the-request': {
    answer: (socket, random, request) =>
      whole(random.pick(STATUSES), `<pre>${request}</pre>`, { 'content-type': 'text/html' })(socket, random, request),
  },
  'echo-in-two-packets': {
    answer: echo((said, random) => {
      const body = envelopeWith(inJson(said, random));
      const cut = body.indexOf(said) + random.between(1, said.length - 1);
      return parted(
        head(random.pick(STATUSES), { 'content-length': Buffer.byteLength(body) }) + body.slice(0, cut),
        body.slice(cut),
      );
    }),
  },
  'echo-in-two-chunks': {
    answer: echo((said, random) => {
      const body = envelopeWith(said);
      const cut = body.indexOf(said) + random.between(1, said.length - 1);
      return parted(
        head(random.pick(STATUSES), { 'transfer-encoding': 'chunked' }) + chunk(body.slice(0, cut)),
        `${chunk(body.slice(cut))}0\r\n\r\n`,
      );
    }),
  },
  'echo-broken-off': {
    answer: echo((said, random) => (socket) => {
      const body = random.pick([`{"code":"WHO","message":"${said}"}`, `<pre>x-api-key: ${said}</pre>`]);
      const cut = body.indexOf(said) + random.between(1, said.length - 1);
      socket.end(head(random.pick(STATUSES), { 'content-length': Buffer.byteLength(body) }) + body.slice(0, cut));
    }),
  },
  'echo-cut-by-a-cap': {
    answer: echo((said, random) => {
      const before = 'm'.repeat(random.pick(CAPS) - random.between(0, said.length));
      return json(random.pick(STATUSES), { code: before + said, message: before + said, request_id: before + said });
    }),
  },
  'echo-of-success': {
    answer: echo((said, random) =>
      json(201, { request_id: inJson(said, random), id: said }, { 'x-request-id': said, 'idempotent-replayed': said }),
    ),
    succeeds: true,
  },
};
