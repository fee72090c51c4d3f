// What the audit stream says was done, held against what operators were told and what the API saw. Its entries bear
// Redis' own time of the step that acted, which no operator's clock or delay can bend.

import { type Act, audit } from '../../queue/acts.ts';
import { jobIdOf } from '../../core/write.ts';
import type { LedgerSend } from '../../dev/testing.ts';
import { type Campaign, DESTINATION } from './campaign.ts';
import type { Ends } from './ends.ts';

/** An act, and when it was carried out: epoch ms by Redis' clock. */
export type DatedAct = Act & { doneAt: number };

/** What an operator was told of an act: that it was done, that it was refused, or nothing. */
export type Told = 'done' | 'refused' | 'nothing';

/** @returns every act upon a letter, the oldest first */
export async function readActs(campaign: Campaign): Promise<DatedAct[]> {
  const acts: DatedAct[] = [];
  for await (const entry of audit(campaign.reader, DESTINATION)) {
    if (!('letter' in entry)) continue;
    acts.push({ ...entry, doneAt: Number(entry.entry.split('-')[0]) });
  }
  return acts.toReversed();
}

/** Where an act finds its letter, and where it leaves it. */
const STEPS: Partial<Record<Act['act'], readonly ['open' | 'discarded', 'open' | 'discarded' | 'replayed']>> = {
  discard: ['open', 'discarded'],
  restore: ['discarded', 'open'],
  replay: ['open', 'replayed'],
  probe: ['open', 'replayed'],
};

/** The write goes out again under the key that it has. */
const isSentAgain = ({ act, newKey }: Act): boolean => act === 'probe' || (act === 'replay' && newKey === undefined);

/**
 * Tells the ledger what the audit says of keys: a write that goes on under another one is stored, whoever was told so; and
 * where a person accepted a double application, one is allowed.
 */
export async function acknowledgeAudited(campaign: Campaign): Promise<void> {
  for (const { jobId, newKey, doubleAccepted } of await readActs(campaign)) {
    const key = newKey?.idempotencyKey;
    if (key !== undefined) campaign.ledger.acknowledge(key);
    if (!doubleAccepted) continue;
    const entry = [...campaign.ledger.entries()].find((one) =>
      key === undefined ? jobIdOf(one.key) === jobId : one.key === key,
    );
    if (!entry) continue;
    entry.doubtAccepted = true;
    if (key === undefined) entry.mayApply += 1;
  }
}

export interface Audited {
  acts: readonly DatedAct[];
  /** By act id; an act that nobody asked for is in none. */
  told: ReadonlyMap<string, Told>;
  /** Of every key that the API may have seen. */
  sendsOf: (key: string) => readonly LedgerSend[];
  /** Every key of the ledger. */
  keys: Iterable<string>;
}

/** @returns what is wrong: nothing may be done twice, and what is put aside is not sent */
export function judgeActs({ acts, told, sendsOf, keys }: Audited): string[] {
  const broken: string[] = [];
  const noted = new Map<string, number>();
  const state = new Map<string, string>();
  for (const { id, act, letter, verdict, newKey, doubleAccepted } of acts) {
    noted.set(id, (noted.get(id) ?? 0) + 1);
    if (!told.has(id)) broken.push(`${act} of ${letter}: nobody asked for it`);
    const [from, to] = STEPS[act] ?? [];
    const was = state.get(letter) ?? 'open';
    if (from !== was) broken.push(`${act} of ${letter}, which was ${was}`);
    state.set(letter, to ?? was);
    if (newKey && verdict !== 'not-applied' && !doubleAccepted)
      broken.push(`${letter} was replayed under a new key, and is ${verdict}`);
  }
  for (const [id, what] of told) {
    const times = noted.get(id) ?? 0;
    if (times > 1) broken.push(`act ${id} was noted ${times} times`);
    if (what === 'done' && times === 0) broken.push(`act ${id} was said to be done, and is not in the audit`);
    if (what === 'refused' && times > 0) broken.push(`act ${id} was refused, and is in the audit`);
  }

  // Under its letter's key a write may be sent between a replay and the next death only; the letter is evidence of the
  // death, so the last act upon any of its letters says whether it may be sent.
  const byJob = Map.groupBy(acts, ({ jobId }) => jobId);
  const families = new Map<string, string>();
  for (const key of keys) {
    const own = byJob.get(jobIdOf(key)) ?? [];
    for (const { newKey } of own) if (newKey) families.set(newKey.idempotencyKey, key);
    for (const { at } of sendsOf(key)) {
      const before = own.findLast(({ doneAt }) => doneAt <= at);
      const isLive = !before || isSentAgain(before);
      // Of the same millisecond nobody can say which was first.
      if (!isLive && before.doneAt < at)
        broken.push(`${key} was sent ${at - before.doneAt} ms after its ${before.act}`);
    }
  }
  const rootOf = (key: string): string => {
    let root = key;
    while (families.has(root)) root = families.get(root) ?? root;
    return root;
  };
  const applied = new Map<string, number>();
  /** Doubles that a person has accepted. */
  const accepted = new Map<string, number>();
  for (const key of keys) {
    const root = rootOf(key);
    applied.set(root, (applied.get(root) ?? 0) + sendsOf(key).filter((send) => send.applied).length);
    const doubles = (byJob.get(jobIdOf(key)) ?? []).filter(({ doubleAccepted }) => doubleAccepted).length;
    accepted.set(root, (accepted.get(root) ?? 0) + doubles);
  }
  for (const [key, times] of applied)
    if (times > 1 + (accepted.get(key) ?? 0)) broken.push(`${key} was applied ${times} times under all of its keys`);
  return broken;
}

/** @returns each write that does not stand where the last act upon it has put it */
export function judgePlaces(acts: readonly DatedAct[], ends: Ends, keys: Iterable<string>): string[] {
  const lastOf = new Map(acts.map((act) => [act.letter, act]));
  return [...keys].flatMap((key) => {
    const { letters, places } = ends.of(key);
    const newest = letters.at(-1);
    const last = newest && lastOf.get(newest.id);
    if (!newest || places.length === 0) return [];
    const place = !last || last.act === 'restore' ? 'dead' : last.act === 'discard' ? 'discarded' : undefined;
    const expected = place ?? (last?.newKey ? 'moved' : 'delivered');
    return places.join('+') === expected ? [] : [`${key} stands ${places.join('+')}, not ${expected}`];
  });
}
