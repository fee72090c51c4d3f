// The judgement: the producer's ledger joined with what the API saw, what stands in Redis, and what was logged. Each
// invariant says how often it was looked at, and how often it did not hold.
import { emptyJournal, type Journal } from '../../core/journal.ts';
import type { LedgerEntry } from '../../dev/testing.ts';
import type { End } from './ends.ts';
import type { Evidence } from './evidence.ts';
import { join, type Joined, type JoinedAttempt } from './joined.ts';
import { wrongAsCrashed, wrongAsLost } from './judge-crashes.ts';
import { judgeLetter } from './judge-letter.ts';
import { judgeRetries } from './judge-retries.ts';
import { judgePayloads, judgeStarts, mayBeGone } from './judge-sends.ts';
import { isTrue, judgeAnswersRead, judgeVerdicts } from './judge-verdict.ts';
import { emptyJudgement, type Judgement, type Look, look, type Measured, nothingMeasured } from './judgement.ts';
import type { Entry } from './ledger.ts';

const ENDS = ['delivered', 'dead', 'discarded', 'moved'];

export function judge(evidence: Evidence): { judgement: Judgement; measured: Measured } {
  const judgement = emptyJudgement();
  const measured = nothingMeasured();
  const { ledger, ends, oracle, anonymous } = evidence;
  for (const entry of ledger.entries())
    judgeOne(judgement, measured, evidence, entry, ends.of(entry.key), oracle(entry.key));
  look(judgement, 'I1', evidence.drained, () => 'some writes had not ended when the time to drain was over');
  const ids = ends.letterIds;
  look(judgement, 'I6', new Set(ids).size === ids.length, () => `${ids.length - new Set(ids).size} letters doubled`);
  for (const id of ends.strayLetters([...ledger.entries()].map(({ key }) => key)))
    look(judgement, 'I6', false, () => `${id}: a letter of no write`);
  for (const key of evidence.seenKeys) look(judgement, 'I7', ledger.get(key) !== undefined, () => `${key}: unknown`);
  for (const { path, at } of anonymous.sends)
    look(judgement, 'I7', false, () => `${path} was sent without a key at ${at}`);
  return { judgement, measured };
}

function judgeOne(
  judgement: Judgement,
  measured: Measured,
  evidence: Evidence,
  entry: Entry,
  end: End,
  seen: LedgerEntry | undefined,
): void {
  const { key, plan, endings, mayApply } = entry;
  const { places, verdict } = end;
  const applications = seen?.applications ?? 0;
  const here: Look = (invariant, holds, what) =>
    look(
      judgement,
      invariant,
      holds,
      () =>
        `${key} [${plan.steps.slice(0, 3).join(' ')}…]: ${what}; stands ${places.join(' and ') || 'nowhere'}, ${verdict ?? 'no verdict'}, sent ${seen?.sends.length ?? 0}, applied ${applications}`,
    );

  here('I3', applications <= mayApply, 'applied more than once');
  judgePayloads(here, entry, seen);
  const ended = places.some((place) => ENDS.includes(place));
  if (entry.acknowledged) {
    if (places.length === 0 && mayBeGone(entry, evidence.lossWindows)) measured.lost += 1;
    else here('I1', ended, 'has not ended');
  }
  if (places.length === 0) return;

  const place = places[0] ?? '';
  const reason = place === 'dead' ? end.letter?.reason : undefined;
  const isCutShort = reason === 'crashed' || reason === 'key-expired';
  // Acknowledged or not: what stands there has to end.
  const isRight = endings.some((ending) => ending === place) || isCutShort;
  here('I2', ended && places.length === 1 && isRight, 'is not where its plan ends');
  if (place === 'delivered') here('I4', applications > 0, 'delivered and not applied');
  if (!ended) return;
  measured.ended += 1;
  if (verdict === 'in-doubt') measured.inDoubt += 1;
  here('I5', isTrue(verdict, applications), 'the verdict is wrong, or there is none');
  here('I6', end.journal !== undefined, 'there is no journal');
  const joined = judgeJournals(here, measured, evidence, entry, end, seen);
  judgeCrash(here, evidence, key, end, joined);
}

/** Of every generation: those that died have letters, and what was delivered has a journal of its own. */
function judgeJournals(
  here: Look,
  measured: Measured,
  { policy, losses, lossWindows, startedAt }: Evidence,
  entry: Entry,
  end: End,
  seen: LedgerEntry | undefined,
): Joined {
  const { recordLost = false, doubtAccepted = false } = entry;
  const delivered = end.places[0] === 'delivered' ? end.journal : undefined;
  const journals = [...end.letters.map(({ journal }) => journal ?? emptyJournal()), ...(delivered ? [delivered] : [])];
  const joined = join(journals, seen?.sends ?? [], policy.clocksDifferMs, entry.payload !== undefined);
  const attemptsOf = (i: number): readonly JoinedAttempt[] => joined.generations[i] ?? [];

  // Every start is recorded, or counted as lost, in this generation and those before. What was delivered keeps a count.
  const inLetters = end.letters.reduce((sum, { journal, lost }) => sum + (journal ? startsOf(journal, lost) : 0), 0);
  judgeStarts(here, measured, entry, inLetters + (end.starts ?? 0), seen?.sends ?? [], lossWindows);
  end.letters.forEach((letter, i) =>
    judgeLetter(here, policy, entry, letter, attemptsOf(i), { startedAt, firstAt: seen?.firstAt }),
  );
  journals.forEach(({ attempts }, i) => {
    const isNumbered = attempts.every(({ attempt }, at) => attempt === at + 1);
    here('I6', isNumbered, 'its attempts are not numbered one by one');
    if (!recordLost) judgeAnswersRead(here, measured, policy, attemptsOf(i));
    judgeRetries(here, measured, policy, attemptsOf(i), !recordLost);
  });
  if (recordLost) return joined;
  const wrong = wrongAsLost(policy, entry, end, losses);
  if (wrong !== undefined) here('I5', false, wrong);
  const died = end.letters.flatMap((letter, i) =>
    'unreadable' in letter ? [] : [{ ...letter, attempts: attemptsOf(i) }],
  );
  judgeVerdicts(here, measured, policy, died, joined.unrecorded, doubtAccepted);
  const follows = doubtAccepted ? 'in-doubt' : 'applied-once';
  if (delivered) here('I5', end.verdict === follows, `it is delivered, and ${end.verdict}`);
  return joined;
}

function judgeCrash(
  here: Look,
  { poison, policy, losses }: Evidence,
  key: string,
  { places, letter }: End,
  { unrecorded }: Joined,
): void {
  const isDead = places[0] === 'dead' && letter?.reason === 'crashed';
  if (poison.has(key)) here('I11', isDead, 'poison that is not dead as crashed');
  if (!isDead) return;
  const wrong = wrongAsCrashed(policy, letter, unrecorded, losses);
  here('I11', wrong === undefined, wrong ?? '');
}

const startsOf = ({ attempts, postponed, lost }: Journal, more: number): number =>
  attempts.length + postponed + lost + more;

export { INVARIANTS, type Invariant, type Judgement, look, type Measured } from './judgement.ts';
export type { Count } from './judgement.ts';
