// What another retry policy would have done: reads the dead letters that are meant and what is on record of successes at
// their destinations, each up to a bound, and hands them to the rule (core/what-if.ts).
import { type Config, configuredAs } from '../core/config.ts';
import { destination as destinationSchema } from '../core/config-schema.ts';
import {
  BASIS,
  coveredMs,
  type ExhaustedLetter,
  isEligible,
  layOut,
  type PolicyChange,
  type Successes,
  whatIf,
  type WhatIfCounts,
  type WhatIfGroup,
} from '../core/what-if.ts';
import { WaybillError } from '../core/errors.ts';
import type { LetterState } from './acts.ts';
import { type FiledLetter, type LetterCursor, letters, pageOfLetters } from './dead-letters.ts';
import { prefixOf } from './keys.ts';
import { letterCode, type LetterFilter } from './letter-filter.ts';
import type { Reader } from './reader.ts';
import { asTombstone } from './tombstone.ts';

export interface WhatIfRequest {
  /** Of this one only. */
  destination?: string | undefined;
  /** In these states; in all when left out. */
  states?: readonly LetterState[];
  filter?: LetterFilter;
  policy: PolicyChange;
  /** Ends it: nobody waits for the answer any more. */
  signal?: AbortSignal;
}

export interface WhatIfAnswer extends WhatIfCounts {
  /** Letters that are meant, and whether there may be more than those that were looked into. */
  examined: number;
  more: boolean;
  /** What the other policy's waits add up to, without jitter, ms; of several destinations the least. */
  coversMs: number;
  /** The most letters first. */
  byGroup: WhatIfGroup[];
  /**
   * Where the other policy allows fewer attempts: kept deliveries that took more than that, which would be dead letters
   * now, and the calls that they would have saved. Counted in no other number.
   */
  wouldHaveDied?: { deliveries: number; savedCalls: number; examined: number; more: boolean };
  /** How it was reckoned, in words. */
  basis: string;
}

const STATES: readonly LetterState[] = ['open', 'replayed', 'discarded'];
/** Letters that are looked into, meant or not, over all destinations. */
const MAX_LETTERS = 20_000;
/** Letters of a page: their bodies are in memory together. */
const PAGE = 200;
/** Replayed letters of a destination whose end is looked at, the newest. */
const MAX_REPLAYS = 2000;
/** Kept deliveries that are looked at for how many attempts they took, the newest. */
const MAX_DELIVERIES = 5000;
/** Slices of time that a destination's deliveries are looked up in, and the shortest of them. */
const MAX_SLICES = 10_000;
const SLICE_MS = 100;
/** Commands of one pipeline. */
const PIPELINE = 500;

/**
 * @param config the policies that the change is made to; the defaults for a destination that it lacks
 * @throws WaybillError NOT_FOUND for a destination that was never used · INVALID_CONFIG for a cap below the base
 */
export async function whatIfOf(
  reader: Reader,
  config: Pick<Config, 'destinations'> | undefined,
  { destination, states = STATES, filter = {}, policy, signal }: WhatIfRequest,
): Promise<WhatIfAnswer> {
  const names = await reader.destinations(destination);
  const presentOf = (name: string) => configuredAs(config, name)?.retry ?? DEFAULT_RETRY;
  const policyOf = (name: string) => ({ ...presentOf(name), ...policy });
  for (const name of names) checkWaits(name, policyOf(name));
  const eligible: ExhaustedLetter[] = [];
  const deliveries = new Map<string, number[]>();
  const replays: Successes['replays'][number][] = [];
  const died = { deliveries: 0, savedCalls: 0, examined: 0, more: false };
  let examined = 0;
  let looked = 0;
  let more = false;
  for (const [i, name] of names.entries()) {
    signal?.throwIfAborted();
    // What a destination leaves of its share the others have.
    const share = Math.ceil((MAX_LETTERS - looked) / (names.length - i));
    const read = await readLetters(reader, name, { states, filter, share, signal });
    await noteOthers(reader, name, read.eligible);
    examined += read.examined;
    looked += read.looked;
    more ||= read.more;
    eligible.push(...read.eligible);
    const spans = read.eligible.map((letter) => spanOf(letter, policyOf(name)));
    if (spans.length > 0) {
      deliveries.set(name, await deliveriesIn(reader, name, spans));
      replays.push(...(await deliveredReplays(reader, name)));
    }
    const { maxAttempts } = policyOf(name);
    if (maxAttempts < presentOf(name).maxAttempts) await countDeliveries(reader, name, maxAttempts, died);
  }
  return {
    examined,
    more,
    ...whatIf(eligible, { deliveries, replays }, policyOf),
    coversMs: names.length === 0 ? 0 : Math.min(...names.map((name) => coveredMs(policyOf(name)))),
    ...(died.deliveries > 0 && { wouldHaveDied: died }),
    basis: BASIS,
  };
}

function checkWaits(destination: string, { baseMs, capMs }: { baseMs: number; capMs: number }): void {
  if (capMs >= baseMs) return;
  const message = `policy.capMs: ${capMs} is less than the base of ${baseMs} ms that ${destination} would have; give both`;
  throw new WaybillError('INVALID_CONFIG', message, { field: 'policy.capMs' });
}

const DEFAULT_RETRY = destinationSchema.shape.retry.parse({});

async function readLetters(
  reader: Reader,
  destination: string,
  { states, filter, share, signal }: Share,
): Promise<{ eligible: ExhaustedLetter[]; examined: number; looked: number; more: boolean }> {
  const all = { eligible: [] as ExhaustedLetter[], examined: 0, looked: 0 };
  for (const state of states) {
    let after: LetterCursor | undefined;
    do {
      signal?.throwIfAborted();
      if (all.looked >= share) return { ...all, more: true };
      const left = share - all.looked;
      const range = { first: 'newest' as const, limit: Math.min(PAGE, left), scanLimit: left, ...(after && { after }) };
      const page = await pageOfLetters(reader, destination, { state, filter, ...range });
      after = page.next;
      all.examined += page.letters.length;
      // Not all that a page looks into is searched: where rows tell, a letter is read because it is meant.
      all.looked += Math.max(page.scanned, page.letters.length);
      for (const letter of page.letters)
        if (!('unreadable' in letter) && isEligible(letter.reason, letter.journal.attempts))
          all.eligible.push(exhausted(letter));
    } while (after);
  }
  return { ...all, more: false };
}

interface Share {
  states: readonly LetterState[];
  filter: LetterFilter;
  /** Letters that may be looked into. */
  share: number;
  signal: AbortSignal | undefined;
}

/** Without what a letter weighs. */
function exhausted(letter: FiledLetter): ExhaustedLetter {
  const { destination, journal, write, keyUsableUntil } = letter;
  const code = letterCode(letter);
  const until = Math.min(keyUsableUntil ?? Infinity, write?.expiresAt ?? Infinity);
  return {
    destination,
    ...(code !== undefined && { code }),
    othersDelivered: false,
    attempts: journal.attempts.map(({ at, durationMs, wait }) => ({ at, durationMs, ...(wait && { wait }) })),
    ...(write?.maxAttempts !== undefined && { maxAttempts: write.maxAttempts }),
    ...(until < Infinity && { sendableUntil: until }),
  };
}

interface Span {
  from: number;
  to: number;
}

/** Asks for each letter whether anything was delivered while it failed. */
async function noteOthers(
  { client }: Reader,
  destination: string,
  eligible: readonly ExhaustedLetter[],
): Promise<void> {
  for (let i = 0; i < eligible.length; i += PIPELINE) {
    const slice = eligible.slice(i, i + PIPELINE);
    const pipeline = client.pipeline();
    for (const { attempts } of slice)
      pipeline.zcount(completedOf(destination), (attempts[1] ?? attempts[0])?.at ?? 0, attempts.at(-1)?.at ?? 0);
    const replies = (await pipeline.exec()) ?? [];
    slice.forEach((letter, at) => {
      const [error, count] = replies[at] ?? [];
      if (error) throw error;
      letter.othersDelivered = Number(count) > 0;
    });
  }
}

/** When a delivery would tell something about a letter. */
function spanOf(letter: ExhaustedLetter, policy: Parameters<typeof layOut>[1]): Span {
  const from = letter.attempts.at(-1)?.at ?? 0;
  let to = from;
  for (const { at } of layOut(letter, policy)) to = Math.max(to, at);
  return { from, to };
}

/** Of each slice of the spans its first and its last delivery: kept tombstones are ordered by the time of theirs. */
async function deliveriesIn({ client }: Reader, destination: string, spans: readonly Span[]): Promise<number[]> {
  const set = completedOf(destination);
  const [, oldest] = await client.zrange(set, '0', '0', 'WITHSCORES');
  if (oldest === undefined) return [];
  const kept = merged(spans)
    .map(({ from, to }) => ({ from: Math.max(from, Number(oldest)), to }))
    .filter(({ from, to }) => from <= to);
  const totalMs = kept.reduce((sum, { from, to }) => sum + to - from, 0);
  const stepMs = Math.max(SLICE_MS, Math.ceil(totalMs / MAX_SLICES));
  const slices = kept.flatMap(({ from, to }) =>
    Array.from({ length: Math.ceil((to - from + 1) / stepMs) }, (_, i) => from + i * stepMs),
  );
  const found = new Set<number>();
  for (let i = 0; i < slices.length; i += PIPELINE) {
    const pipeline = client.pipeline();
    for (const from of slices.slice(i, i + PIPELINE)) {
      pipeline.zrangebyscore(set, from, `(${from + stepMs}`, 'WITHSCORES', 'LIMIT', 0, 1);
      pipeline.zrevrangebyscore(set, `(${from + stepMs}`, from, 'WITHSCORES', 'LIMIT', 0, 1);
    }
    for (const [error, reply] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      const [, at] = reply as string[];
      if (at !== undefined) found.add(Number(at));
    }
  }
  return [...found].toSorted((a, b) => a - b);
}

function merged(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else all.push({ ...span });
  }
  return all;
}

/** Replayed letters whose write was delivered since: when. */
async function deliveredReplays(reader: Reader, destination: string): Promise<Successes['replays'][number][]> {
  const replayed: { jobId: string; code?: string }[] = [];
  for await (const letter of letters(reader, destination, { state: 'replayed', first: 'newest' })) {
    const sent = letter.acts.at(-1)?.newKey?.jobId ?? letter.jobId;
    const code = 'unreadable' in letter ? undefined : letterCode(letter);
    replayed.push({ jobId: sent, ...(code !== undefined && { code }) });
    if (replayed.length >= MAX_REPLAYS) break;
  }
  const pipeline = reader.client.pipeline();
  for (const { jobId } of replayed) pipeline.zscore(completedOf(destination), jobId);
  const replies = replayed.length > 0 ? ((await pipeline.exec()) ?? []) : [];
  return replayed.flatMap(({ code }, i) => {
    const [error, at] = replies[i] ?? [];
    if (error) throw error;
    return typeof at === 'string' ? { destination, ...(code !== undefined && { code }), at: Number(at) } : [];
  });
}

async function countDeliveries(
  { client }: Reader,
  destination: string,
  maxAttempts: number,
  died: NonNullable<WhatIfAnswer['wouldHaveDied']>,
): Promise<void> {
  const ids = await client.zrange(completedOf(destination), String(-MAX_DELIVERIES - 1), '-1');
  died.more ||= ids.length > MAX_DELIVERIES;
  const looked = ids.slice(-MAX_DELIVERIES);
  died.examined += looked.length;
  for (let i = 0; i < looked.length; i += PIPELINE) {
    const pipeline = client.pipeline();
    for (const id of looked.slice(i, i + PIPELINE))
      pipeline.hget(`${prefixOf(destination)}:${destination}:${id}`, 'data');
    for (const [error, text] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      const attempts = attemptsOf(text);
      if (attempts <= maxAttempts) continue;
      died.deliveries += 1;
      died.savedCalls += attempts - maxAttempts;
    }
  }
}

function attemptsOf(text: unknown): number {
  try {
    const tombstone = asTombstone(JSON.parse(typeof text === 'string' ? text : 'null'));
    const attempts = tombstone?.settled === 'delivered' ? tombstone.delivery.attempts : 0;
    return Number.isSafeInteger(attempts) ? attempts : 0;
  } catch {
    return 0;
  }
}

const completedOf = (destination: string): string => `${prefixOf(destination)}:${destination}:completed`;
