// The recorded journals of dead letters against another retry policy: which of them it would have saved, at how many more
// calls. Nobody can know what an API would have answered, so a success is counted only where the records show one:
//  1. each letter's attempts are laid out in time as the other policy would have made them
//  2. what is known of its group (destination and code) is a line of failures and successes in time
//  3. an attempt would have succeeded when the last thing known before it is a success; it would have failed when it lies
//     between two failures of one outage; of every other attempt nothing is known
import type { RetryPolicy, Wait } from './back-off.ts';
import type { DeadReason } from './decide.ts';
import type { Attempt } from './journal.ts';
import { classOf } from './outcome.ts';

/** The other policy: what is left out stays as it is. */
export type PolicyChange = Partial<Pick<RetryPolicy, 'maxAttempts' | 'baseMs' | 'capMs' | 'jitter'>>;

type Waits = Pick<RetryPolicy, 'maxAttempts' | 'baseMs' | 'capMs' | 'jitter'>;

/** Of a dead letter, what the reckoning needs. */
export interface ExhaustedLetter {
  destination: string;
  code?: string;
  /** The spent attempts, in order; one at least. */
  attempts: readonly { at: number; durationMs: number; wait?: Wait }[];
  /** The write's own, which no policy overrules. */
  maxAttempts?: number;
  /** Other writes were delivered at the destination between its second and its last attempt: it was not out as a whole. */
  othersDelivered: boolean;
  /** No attempt starts after this: the key's life, or the write's expiry. Epoch ms. */
  sendableUntil?: number;
}

/** What is known besides the letters' own failures. */
export interface Successes {
  /** By destination: when its writes were delivered, epoch ms, ascending. */
  deliveries: ReadonlyMap<string, readonly number[]>;
  /** Replayed letters whose write was delivered. */
  replays: readonly { destination: string; code?: string; at: number }[];
}

export interface WhatIfCounts {
  eligible: number;
  saved: number;
  /** Of all of them together; negative where the other policy makes fewer. */
  extraCalls: number;
  /** Of these, what those cost that are saved. */
  extraCallsOfSaved: number;
  /** Whose further attempts the records say nothing about: not counted as saved. */
  unknown: number;
}

interface WhatIfGroupName {
  destination: string;
  code?: string;
}

export type WhatIfGroup = WhatIfGroupName & WhatIfCounts;

/** Two failures of a group belong to one outage when they are no further apart, and no success lies between them. */
const OUTAGE_GAP_MS = 600_000;

export const BASIS =
  'An attempt counts as a success when the last thing known before it is one: a replay of the same destination and code that was delivered; ' +
  "or, behind the letter's last attempt on record, a delivery of any write, where none was delivered between its second and last attempt, so that the destination was out as a whole. " +
  'It counts as a failure between two failures of its group that are at most 10 minutes apart without a success between them. ' +
  'Of every other attempt nothing is known, and a letter that hangs on those is unknown. ' +
  'Recorded waits that the other policy could have drawn stand as they were; all others are its waits with half of the jitter. ' +
  'No attempt is reckoned past the life of the key or the expiry of the write.';

/** Whether another policy could have changed its end: it spent all of its attempts. A write that was postponed for too long did not. */
export function isEligible(reason: DeadReason, attempts: readonly Attempt[]): boolean {
  const last = attempts.at(-1);
  if (reason !== 'exhausted' || last?.disposition !== 'dead') return false;
  const postponed = last.outcome === 'not-sent' ? classOf(last.code ?? '') === 'local' : last.status === 409;
  return !postponed;
}

/** What a policy's waits add up to, without jitter, ms. */
export function coveredMs(policy: Waits): number {
  let sum = 0;
  for (let n = 1; n < policy.maxAttempts; n++) sum += baseWait(n, policy);
  return sum;
}

/** When the other policy's attempts would have begun, epoch ms; those up to the first that is not, stand as recorded. */
export function* layOut(letter: ExhaustedLetter, policy: Waits): Generator<{ at: number; recorded: boolean }> {
  const { attempts, maxAttempts = policy.maxAttempts, sendableUntil = Infinity } = letter;
  let done = attempts[0];
  if (!done) return;
  let { at } = done;
  let recorded = true;
  yield { at, recorded };
  for (let n = 1; n < maxAttempts; n++) {
    const next = attempts[n];
    recorded &&= couldHaveDrawn(done.wait, n, policy);
    if (recorded && next) at = next.at;
    else {
      recorded = false;
      const drawn = baseWait(n, policy) * (1 + policy.jitter / 2);
      at += done.durationMs + Math.max(drawn, done.wait?.retryAfterMs ?? 0);
      if (at > sendableUntil) return;
    }
    yield { at, recorded };
    done = next ?? { at, durationMs: done.durationMs };
  }
}

/**
 * @param letters eligible ones
 * @param policyOf the whole other policy of a destination
 */
export function whatIf(
  letters: readonly ExhaustedLetter[],
  { deliveries, replays }: Successes,
  policyOf: (destination: string) => Waits,
): WhatIfCounts & { byGroup: WhatIfGroup[] } {
  const keyOf = ({ destination, code }: WhatIfGroupName): string => JSON.stringify([destination, code]);
  const groups = new Map<string, Group>();
  for (const letter of letters) {
    const { destination, code } = letter;
    const group = groups.get(keyOf(letter));
    if (group) group.letters.push(letter);
    else groups.set(keyOf(letter), { destination, ...(code !== undefined && { code }), letters: [letter] });
  }
  const replaysOf = Map.groupBy(replays, keyOf);
  const byGroup = [...groups]
    .map(([key, group]) => {
      const { destination } = group;
      return reckon(group, replaysOf.get(key) ?? [], deliveries.get(destination) ?? [], policyOf(destination));
    })
    .toSorted((a, b) => b.eligible - a.eligible);
  const total = none();
  for (const group of byGroup) add(total, group);
  return { ...total, byGroup };
}

interface Known {
  at: number;
  works: boolean;
}

interface Group extends WhatIfGroupName {
  letters: ExhaustedLetter[];
}

const none = (): WhatIfCounts => ({ eligible: 0, saved: 0, extraCalls: 0, extraCallsOfSaved: 0, unknown: 0 });

function add(sum: WhatIfCounts, one: WhatIfCounts): void {
  for (const name of ['eligible', 'saved', 'extraCalls', 'extraCallsOfSaved', 'unknown'] as const)
    sum[name] += one[name];
}

function reckon(
  { letters, ...group }: Group,
  replays: readonly { at: number }[],
  deliveries: readonly number[],
  policy: Waits,
): WhatIfGroup {
  // Sorting is stable: of what happened in the same millisecond the success counts as the later.
  const inTime = (list: Known[]): Known[] => list.toSorted((a, b) => a.at - b.at);
  const ofGroup = inTime([
    ...letters.flatMap(({ attempts }) => attempts.map(({ at }) => ({ at, works: false }))),
    ...replays.map(({ at }) => ({ at, works: true })),
  ]);
  const ofAll = inTime([...ofGroup, ...deliveries.map((at) => ({ at, works: true }))]);
  const counts = none();
  for (const letter of letters) {
    const { saved, unknown, calls } = judge(letter, ofGroup, letter.othersDelivered ? ofGroup : ofAll, policy);
    const extraCalls = calls - letter.attempts.length;
    add(counts, {
      eligible: 1,
      saved: Number(saved),
      extraCalls,
      extraCallsOfSaved: saved ? extraCalls : 0,
      unknown: Number(unknown),
    });
  }
  return { ...group, ...counts };
}

/** @param during what is known of the time up to its last attempt on record; `after`: of the time behind */
function judge(
  letter: ExhaustedLetter,
  during: readonly Known[],
  after: readonly Known[],
  policy: Waits,
): { saved: boolean; unknown: boolean; calls: number } {
  const lastAt = letter.attempts.at(-1)?.at ?? 0;
  let unknown = false;
  let calls = 0;
  for (const { at, recorded } of layOut(letter, policy)) {
    calls += 1;
    if (recorded) continue;
    const works = wouldWork(at > lastAt ? after : during, at);
    if (works) return { saved: true, unknown: false, calls };
    unknown ||= works === undefined;
  }
  return { saved: false, unknown, calls };
}

/** @returns undefined where nothing is known of an attempt at that time */
function wouldWork(line: readonly Known[], at: number): boolean | undefined {
  const next = firstAfter(line.length, (i) => (line[i]?.at ?? 0) > at);
  const before = line[next - 1];
  const after = line[next];
  if (before?.works) return true;
  const inOutage = before && after && !after.works && after.at - before.at <= OUTAGE_GAP_MS;
  return inOutage ? false : undefined;
}

const baseWait = (n: number, { baseMs, capMs }: Waits): number => Math.min(baseMs * 2 ** (n - 1), capMs);

function couldHaveDrawn(wait: Wait | undefined, n: number, policy: Waits): boolean {
  return wait?.baseMs === baseWait(n, policy) && wait.jitterMs <= wait.baseMs * policy.jitter;
}

/** The first of `count` places at which it holds, where it holds at all places behind; `count` where it holds nowhere. */
function firstAfter(count: number, holds: (place: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
