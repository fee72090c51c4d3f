// What the API was sent: the same write each time, under a key that somebody added, accounted for by a start, and within
// what may have been lost.
import { createHash } from 'node:crypto';
import type { LedgerEntry, LedgerSend } from '../../dev/testing.ts';
import type { LossWindow } from './evidence.ts';
import type { Entry } from './ledger.ts';
import type { Look, Measured } from './judgement.ts';
import { writeOf } from './load.ts';

/** The text of the body that has to go out with a write. */
export function bodyTextOf({ payload, plan }: Pick<Entry, 'payload' | 'plan'>): string | undefined {
  const { body } = payload ?? writeOf(plan);
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

/** As the API's records hold it: the request line's method and target, and the body. */
export function payloadHashOf(entry: Pick<Entry, 'payload' | 'plan'>): string {
  const { method, path } = entry.payload ?? writeOf(entry.plan);
  return createHash('sha256')
    .update(`${method} ${path}\n`)
    .update(bodyTextOf(entry) ?? '')
    .digest('hex');
}

/** I7, of each send. */
export function judgePayloads(look: Look, entry: Entry, seen: LedgerEntry | undefined): void {
  if (!seen) return;
  const expected = payloadHashOf(entry);
  for (const { payloadSha256 } of seen.sends) look('I7', payloadSha256 === expected, 'sent with another payload');
}

/** Acknowledged each time within such a window: a power loss or a failover may have taken it. */
export const mayBeGone = ({ acknowledgedAt }: Pick<Entry, 'acknowledgedAt'>, windows: readonly LossWindow[]): boolean =>
  acknowledgedAt.length > 0 &&
  acknowledgedAt.every((at) => windows.some((window) => !window.keepsWrites && isWithin(at, window)));

const isWithin = (at: number, { from, until }: LossWindow): boolean => at >= from && at <= until;

/** A worker that was given a write before the loss may have waited for Redis, and send it, once, when that is back. */
export const IN_HAND_MS = 5000;

/** I6: each send is one of the starts that Redis knows of, but for those that went with what was lost. */
export function judgeStarts(
  look: Look,
  measured: Measured,
  { recordLost = false }: Entry,
  starts: number,
  sends: readonly LedgerSend[],
  windows: readonly LossWindow[],
): void {
  const unknown = Math.max(0, sends.length - starts);
  const excused = recordLost ? unknown : mayBeForgotten(sends, windows);
  measured.forgotten += Math.min(unknown, excused);
  look('I6', unknown <= excused, `${starts} starts are known of`);
}

function mayBeForgotten(sends: readonly LedgerSend[], windows: readonly LossWindow[]): number {
  const within = sends.filter(({ at }) => windows.some((window) => isWithin(at, window)));
  const inHand = windows.flatMap(({ until }, i) =>
    sends
      .filter(({ at }) => at > until && at <= until + IN_HAND_MS)
      .map((send) => ({ send, worker: `${send.client} ${i}` })),
  );
  const late = inHand.filter(({ send }) => !within.includes(send));
  return within.length + new Set(late.map(({ worker }) => worker)).size;
}

/** @returns what went out when its key may have ended at the API, which keeps it so long from its first send */
export function sentAfterItsKey(sends: readonly LedgerSend[], keyTtlMs: number): number[] {
  const endsAt = (sends[0]?.at ?? 0) + keyTtlMs;
  return sends.filter(({ at }) => at >= endsAt).map(({ at }) => at - endsAt);
}
