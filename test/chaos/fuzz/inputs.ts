// Hostile input: what an application may hand to add(), drawn by chance.
import type { Chance } from '../chance.ts';
import { drawAttack } from './attacks.ts';
import { body, headers, key, OBJECT_WORDS, options, path } from './odd-fields.ts';

export interface Input {
  name: unknown;
  data: unknown;
  opts: unknown;
}

/** Up to two things are odd at a time: with more, the first refusal would hide the others. */
export function drawInput(random: Chance, serial: number): Input {
  const odd = new Set(Array.from({ length: random.between(1, 2) }, () => random.between(0, 5)));
  const input: Record<string, unknown> = {
    method: random.pick(['POST', 'PUT', 'PATCH', 'DELETE']),
    path: odd.has(0) ? path(random) : '/v1/subscriptions/opt-in',
    ...(odd.has(1) && { headers: headers(random) }),
    body: odd.has(2) ? body(random) : { phone_number: '+4512345678' },
    idempotencyKey: odd.has(3) ? key(random, serial) : `fuzz-${serial}`,
  };
  if (odd.has(4) && random.next() < 0.3) {
    if (random.next() < 0.5) input.method = random.pick(['GET', 'post', '', 'POST / HTTP/1.1\r\n', null, 5, 'TRACE']);
    else input[random.pick(['url', 'auth', 'maxAttempts', ...OBJECT_WORDS, '\u001b[2J'])] = 1;
  }
  const data = random.next() < 0.02 ? random.pick([null, undefined, 'text', 5, [], [[]], new Map(), true]) : input;
  const name = random.next() < 0.01 ? random.pick(['Send', '', '__proto__', 5, null, undefined]) : 'send';
  const opts = odd.has(5) ? options(random) : random.next() < 0.01 ? random.pick([null, 5, 'x', []]) : undefined;
  return { name, data, opts };
}

/** A write that is as it is to be, for an API that is not. */
export const drawVictim = (random: Chance, serial: number): { attack: string; input: Input } => {
  const attack = drawAttack(random);
  const data = {
    method: 'POST',
    path: `/${attack}/${random.between(0, 2 ** 31)}`,
    body: { serial },
    idempotencyKey: `victim-${serial}`,
  };
  return { attack, input: { name: 'send', data, opts: undefined } };
};
