// One dead letter in full, as the API shows it.
import type { Config } from '../../../core/config.ts';
import { DEAD_REASONS } from '../../../core/decide.ts';
import { MAX_CODE, MAX_MESSAGE, printable } from '../../../core/envelope.ts';
import { evidenceInWords, verdictInWords } from '../../../core/evidence.ts';
import { isRecord } from '../../../core/json.ts';
import { VERDICTS } from '../../../core/verdict.ts';
import type { FiledLetter, UnreadableLetter } from '../../../queue/dead-letters.ts';
import type { Found } from '../../../queue/find.ts';
import { generationOfLetter } from '../../../queue/keys.ts';
import { letterCode } from '../../../queue/letter-filter.ts';
import { requestIdsOf } from '../../../queue/letter.ts';
import type { LetterDetail } from '../contract/letters.ts';
import { type Answers, answersTo } from './answers.ts';
import { actOf, attemptOf } from './attempt.ts';
import { curlOf } from './curl.ts';
import { hintFor } from './hints.ts';
import { envelopeOf } from './letter.ts';
import { maskingOf } from './masking.ts';
import { rowOf } from './row.ts';
import { rulingsOf } from './rulings.ts';
import { count, line, number, oneOf, plainJson } from './sure.ts';
import { writeShown } from './write.ts';

/** What is known besides the letter. */
export interface Surroundings {
  config: Pick<Config, 'destinations' | 'dashboard'>;
  /** Its write as findJob sees it: where that is now, and its other generations. */
  found?: Found | undefined;
  /** When retention takes the letter, epoch ms. */
  trimmedAt?: number | undefined;
  /** Redis's time, epoch ms. */
  now: number;
}

const MAX_RAW = 65_536;

export function detailOf(letter: FiledLetter | UnreadableLetter, around: Surroundings): LetterDetail {
  const { config, found, trimmedAt, now } = around;
  const masking = maskingOf(config, letter.destination);
  const answers = answersTo(letter.write, masking);
  const row = rowOf(letter, masking, answers);
  const generations = found ? [...found.lineage, ...(found.letter ? [found.letter] : [])] : [];
  const newKey = row.state === 'replayed' ? row.handled?.newKey : undefined;
  const base = {
    letter: row,
    replay: rulingsOf(letter, now),
    acts: letter.acts.map(actOf),
    lineage: generations.map((one) => generationOf(one, config)),
    ...line('origin', found?.origin, 300),
    ...(newKey && { replacedBy: newKey }),
    ...(found && { writeState: found.state }),
    ...number('trimmedAt', trimmedAt),
    now,
  };
  if ('unreadable' in letter) return { ...base, key: {}, requestIds: [] };
  const { envelope, journal, verdict, write, raw, lost } = letter;
  const hint =
    row.code === undefined
      ? undefined
      : hintFor(row.code, { ...number('status', row.status), ...line('field', row.field, MAX_CODE) });
  return {
    ...base,
    ...(isRecord(envelope) && { envelope: printableEnvelope(envelopeOf(envelope, answers)) }),
    ...(hint !== undefined && { hint }),
    verdictWords: verdictInWords(verdict),
    verdictEvidence: printable(answers.word(evidenceInWords(journal, lost)), MAX_MESSAGE),
    journal: journalOf(letter, answers),
    ...(write && { write: writeShown(write, masking), curl: curlOf(write, letter.destination, config) }),
    ...(raw !== undefined && { raw: answers.body(raw).slice(0, MAX_RAW) }),
    key: {
      ...number('firstSentAt', letter.keyFirstSentAt),
      ...number('usableUntil', letter.keyUsableUntil),
      ...number('expiresAt', letter.keyExpiresAt),
    },
    requestIds: requestIdsOf(journal)
      .map((id) => line('id', id, 200, answers.word).id ?? '')
      .filter(Boolean)
      .toReversed(),
  };
}

function journalOf({ journal, lost }: FiledLetter, answers: Answers): NonNullable<LetterDetail['journal']> {
  const { attempts, postponed, lastPostponed } = journal;
  return {
    attempts: attempts.map((entry) => attemptOf(entry, answers)),
    postponed: count(postponed),
    ...(isRecord(lastPostponed) && { lastPostponed: attemptOf(lastPostponed, answers) }),
    lost: count(journal.lost) + count(lost),
  };
}

function generationOf(letter: FiledLetter, config: Surroundings['config']): LetterDetail['lineage'][number] {
  const { id, deadAt, state, reason, verdict, write, destination } = letter;
  return {
    id,
    generation: generationOfLetter(id) ?? letter.journal.generation,
    deadAt: count(deadAt),
    state,
    reason: oneOf(reason, DEAD_REASONS, 'invalid'),
    verdict: oneOf(verdict, VERDICTS, 'in-doubt'),
    ...line('code', letterCode(letter), MAX_CODE, answersTo(write, maskingOf(config, destination)).word),
  };
}

const printableEnvelope = (envelope: NonNullable<LetterDetail['envelope']>): NonNullable<LetterDetail['envelope']> => ({
  ...envelope,
  code: printable(envelope.code, MAX_CODE),
  ...(envelope.message !== undefined && { message: printable(envelope.message, MAX_MESSAGE) }),
  ...(envelope.details !== undefined && { details: plainJson(envelope.details) }),
});
