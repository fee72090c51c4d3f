// What the proxies before Redis and before the API do, drawn by a seed.
import type { Fault as ExchangeFault } from '../../support/fault-proxy.ts';
import type { Chance } from '../chance.ts';

/** What is done to one exchange, and `refuse`, which is done to all. */
export const MODES = [
  'refuse',
  'black-hole',
  'cut-request',
  'reset-before',
  'reset-after',
  'delay',
  'truncate',
  'drip',
] as const;
export type Mode = (typeof MODES)[number];

export const MODE_TITLES: Record<Mode, string> = {
  refuse: 'refuses connections and resets those there are',
  'black-hole': 'passes nothing: for a while, or on one connection from a question or an answer on',
  'cut-request': 'passes a part of a question, and closes, resets or forgets its connection',
  'reset-before': 'resets a connection before the answer',
  'reset-after': 'resets a connection after the answer',
  delay: 'holds a question and its answer for up to 1.5 s each',
  truncate: 'cuts an answer off, and closes or resets its connection',
  drip: 'passes an answer byte by byte',
};

/** Around the locks and the deadlines of a campaign, which are 1 s. */
export const MAX_DELAY_MS = 1500;
const MAX_DRIP_MS = 4;
const BODY_FOLLOWS = '\r\n\r\n';
/** The answers have 4 to 1,000 bytes. */
const MAX_KEPT_BYTES = 400;

export function drawExchangeFault(mode: Exclude<Mode, 'refuse'>, chance: Chance): ExchangeFault {
  switch (mode) {
    case 'delay':
      return { mode, ms: () => chance.between(1, MAX_DELAY_MS) };
    case 'truncate':
      return { mode, bytes: chance.between(0, MAX_KEPT_BYTES), by: chance.pick(['FIN', 'RST']) };
    case 'drip':
      return { mode, everyMs: chance.between(1, MAX_DRIP_MS) };
    case 'black-hole':
      return { mode, from: chance.pick(['request', 'reply']) };
    case 'cut-request': {
      const share = chance.next();
      return { mode, bytes: (request) => within(request, share), by: chance.pick(['FIN', 'RST', 'silence']) };
    }
    case 'reset-before':
    case 'reset-after':
      return { mode };
  }
}

/** In its body, where it has one: a head that is cut off is no request to anybody. */
function within(request: Buffer, share: number): number {
  const end = request.indexOf(BODY_FOLLOWS);
  const head = end < 0 ? 0 : end + BODY_FOLLOWS.length;
  return head + Math.floor(share * (request.length - head));
}
