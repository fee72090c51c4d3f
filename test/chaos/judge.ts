// The judgement: the producer's ledger joined with what the API saw, what stands in Redis, and what was logged. Each
// invariant says how often it was looked at, and how often it did not hold.
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from '../../core/journal.ts';
import type { LedgerEntry } from '../../dev/testing.ts';
import type { End, Ends } from './ends.ts';
import type { Entry, Ledger } from './ledger.ts';

export const INVARIANTS = {
  I1: 'acknowledged, and in no end state after the faults stopped',
  I2: 'not in exactly one place, or not in the one that its plan ends in',
  I3: 'applied more than once',
  I4: 'delivered, and not applied',
  I5: 'applied-once and not applied once, or not-applied and applied',
  I6: 'a dead letter that is doubled, stray or incomplete, or a send that no journal accounts for',
  I7: 'a send with another payload, or under a key that nobody added',
  I8: 'a retry that was scheduled, or sent, outside of [base, 1.2 base]',
  I9: 'still held by a worker that is gone, after 2 stalled intervals and a lock',
  I10: 'a secret in Redis, its append-only file or a log',
  I11: 'dead as crashed, and its worker did not keep dying',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Count {
  checked: number;
  violations: number;
  /** The first few. */
  samples: string[];
}
export type Judgement = Record<Invariant, Count>;

const MAX_SAMPLES = 5;

export const emptyJudgement = (): Judgement =>
  Object.fromEntries(
    Object.keys(INVARIANTS).map((name) => [name, { checked: 0, violations: 0, samples: [] }]),
  ) as unknown as Judgement;

/** Notes one look at an invariant. */
export function look(judgement: Judgement, invariant: Invariant, holds: boolean, sample: () => string): void {
  const count = judgement[invariant];
  count.checked += 1;
  if (holds) return;
  count.violations += 1;
  if (count.samples.length < MAX_SAMPLES) count.samples.push(sample());
}

export interface Evidence {
  ledger: Ledger;
  /** What the API saw of a key. */
  sends: (key: string) => LedgerEntry | undefined;
  /** Every key that the API saw. */
  seenKeys: readonly string[];
  ends: Ends;
  policy: { baseMs: number; capMs: number; jitter: number; maxCrashes: number; clocksDifferMs?: number };
  /** Writes that are meant to be dead as crashed. */
  poison: ReadonlySet<string>;
  /** How many workers died, or were frozen, with writes in flight. */
  losses: number;
  /** What a power loss or a failover may take: such a write counts in `measured.lost`, and not in I1. */
  mayLose: boolean;
}

export interface Measured {
  /** Acknowledged and gone. */
  lost: number;
  /** Sends whose start is gone with what was lost, of writes that are not. */
  forgotten: number;
  /** From the API's clock: how much later than scheduled a retry was sent, ms. */
  latenessMs: number[];
  /** Each jitter as a share of its range, for the test of uniformity. */
  jitters: number[];
}

export function judge(evidence: Evidence): { judgement: Judgement; measured: Measured } {
  const judgement = emptyJudgement();
  const measured: Measured = { lost: 0, forgotten: 0, latenessMs: [], jitters: [] };
  const { ledger, ends, sends } = evidence;
  for (const entry of ledger.entries()) {
    judgeOne(judgement, measured, evidence, entry, ends.of(entry.key), sends(entry.key));
  }
  const ids = ends.letterIds;
  look(judgement, 'I6', new Set(ids).size === ids.length, () => `${ids.length - new Set(ids).size} letters doubled`);
  for (const id of ends.strayLetters([...ledger.entries()].map(({ key }) => key)))
    look(judgement, 'I6', false, () => `${id}: a letter of no write`);
  for (const key of evidence.seenKeys) look(judgement, 'I7', ledger.get(key) !== undefined, () => `${key}: unknown`);
  return { judgement, measured };
}

function judgeOne(
  judgement: Judgement,
  measured: Measured,
  { policy, poison, losses, mayLose }: Evidence,
  { key, plan, endings, acknowledged, mayApply, recordLost = false }: Entry,
  end: End,
  seen: LedgerEntry | undefined,
): void {
  const { places, verdict, journal, letter } = end;
  const applications = seen?.applications ?? 0;
  const where = `${key} [${plan.steps.slice(0, 3).join(' ')}…]`;
  const say = (what: string) => (): string =>
    `${where}: ${what}; stands ${places.join(' and ') || 'nowhere'}, ${verdict ?? 'no verdict'}, sent ${seen?.sends.length ?? 0}, applied ${applications}`;

  const gone = places.length === 0;
  const ended = places.some((place) => ['delivered', 'dead', 'discarded', 'moved'].includes(place));
  if (acknowledged) {
    if (mayLose && gone) measured.lost += 1;
    else look(judgement, 'I1', ended, say('has not ended'));
  }
  look(judgement, 'I3', applications <= mayApply, say('applied more than once'));
  if (seen) look(judgement, 'I7', seen.payloadHashes.length === 1, say('sent with different payloads'));
  if (gone) return;

  const place = places[0] ?? '';
  const crashed = letter?.reason === 'crashed' && place === 'dead';
  // Acknowledged or not: what stands there has to end.
  const right = endings.some((ending) => ending === place) || crashed;
  look(judgement, 'I2', ended && places.length === 1 && right, say('is not where its plan ends'));
  if (place === 'delivered') look(judgement, 'I4', applications > 0, say('delivered and not applied'));
  if (ended) look(judgement, 'I5', isTrue(verdict, applications), say('the verdict is wrong, or there is none'));
  if (ended) look(judgement, 'I6', journal !== undefined, say('there is no journal'));
  if (journal && ended) judgeJournal(judgement, measured, { policy, mayLose, recordLost }, end, journal, seen, say);
  if (ended) {
    const lost = (journal?.lost ?? 0) + end.lost;
    const meant = poison.has(key);
    look(
      judgement,
      'I11',
      meant ? crashed : !crashed || (lost > policy.maxCrashes && losses > policy.maxCrashes),
      say(meant ? 'poison that is not dead as crashed' : 'dead as crashed'),
    );
  }
}

/** In doubt may be either; the others are promises. */
function isTrue(verdict: string | undefined, applications: number): boolean {
  if (verdict === 'not-applied') return applications === 0;
  return verdict === 'in-doubt' || (verdict === 'applied-once' && applications === 1);
}

function judgeJournal(
  judgement: Judgement,
  measured: Measured,
  { policy, mayLose, recordLost }: Pick<Evidence, 'policy' | 'mayLose'> & { recordLost: boolean },
  end: End,
  journal: Journal,
  seen: LedgerEntry | undefined,
  say: (what: string) => () => string,
): void {
  const { attempts } = journal;
  const { letter, places } = end;
  const delivered = places[0] === 'delivered';
  look(
    judgement,
    'I6',
    attempts.every((entry, i) => entry.attempt === i + 1),
    say('its attempts are not numbered one by one'),
  );
  const letters = end.letters.filter((one) => !('unreadable' in one));
  look(judgement, 'I6', letters.length === end.letters.length, say('a letter cannot be read'));
  const last = attempts.at(-1);
  if (letter && !delivered && last?.outcome === 'response') {
    const { status = 0, envelope } = last;
    look(
      judgement,
      'I6',
      letter.status === status && (status < 300 || (letter.envelope?.code ?? '') === (envelope?.code ?? '-')),
      say('its letter lacks the error'),
    );
  }
  // Every start is recorded, or counted as lost, in this generation and those before. What was delivered keeps a count.
  const earlier = end.letters.filter(({ id }) => delivered || id !== letter?.id);
  const starts = earlier.reduce(
    (sum, one) => sum + (one.journal ? startsOf(one.journal, one.lost) : 0),
    end.starts ?? startsOf(journal, end.lost),
  );
  const unknown = Math.max(0, (seen?.sends.length ?? 0) - starts);
  if (mayLose || recordLost) measured.forgotten += unknown;
  else look(judgement, 'I6', unknown === 0, say(`${starts} starts are known of`));

  attempts.forEach((entry, i) => {
    if (entry.disposition !== 'retry' || !entry.wait) return;
    const { delayMs, retryAfterMs } = entry.wait;
    // Computed anew, not read: 2^(n-1) base, capped; a Retry-After makes it longer only.
    const base = Math.min(policy.baseMs * 2 ** i, policy.capMs);
    const range = base * policy.jitter;
    const asked = retryAfterMs ?? 0;
    look(
      judgement,
      'I8',
      delayMs >= base && (delayMs <= base + range || delayMs === asked),
      say(`attempt ${i + 1} waits ${delayMs} ms, base ${base}`),
    );
    const next = attempts[i + 1];
    if (delayMs !== asked && range >= 100) measured.jitters.push((delayMs - base + 0.5) / range);
    // A record that was taken away and added anew has its write in the queue twice: the one there was, and the new one.
    if (next && next.lost === undefined && !recordLost) {
      const lateMs = next.at - (entry.at + entry.durationMs + delayMs);
      // A millisecond for the rounding of two clocks; more where the fault sets them apart.
      look(
        judgement,
        'I8',
        lateMs >= -2 - (policy.clocksDifferMs ?? 0),
        say(`attempt ${i + 2} began ${-lateMs} ms before its time`),
      );
      measured.latenessMs.push(lateMs);
    }
  });
}

const startsOf = ({ attempts, postponed, lost }: Journal, more: number): number =>
  attempts.length + postponed + lost + more;

/** Looks for secrets in every file of a folder: append-only files and logs hold all that was ever written. */
export async function judgeSecrets(judgement: Judgement, folder: string, secrets: readonly string[]): Promise<void> {
  const longest = Math.max(...secrets.map((secret) => secret.length));
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    let tail = Buffer.alloc(0);
    let found = 0;
    const path = join(file.parentPath, file.name);
    try {
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        const text = Buffer.concat([tail, chunk]);
        for (const secret of secrets) if (text.includes(secret)) found += 1;
        tail = text.subarray(-longest);
      }
    } catch (error) {
      // A file that its server has just replaced.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    look(judgement, 'I10', found === 0, () => `${file.name}: ${found} times`);
  }
}
