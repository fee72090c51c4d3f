// One attempt, and one act, as the API shows them.
import { explainWait } from '../../../core/back-off.ts';
import { MAX_CODE, MAX_MESSAGE, MAX_REQUEST_ID } from '../../../core/envelope.ts';
import { answerOf } from '../../../core/journal-text.ts';
import type { Attempt } from '../../../core/journal.ts';
import { isRecord } from '../../../core/json.ts';
import type { Act } from '../../../queue/acts.ts';
import { attempt, type ShownAct, type ShownAttempt } from '../contract/letters.ts';
import type { Answers } from './answers.ts';
import { count, line, number, oneOf, textOf } from './sure.ts';

const { outcome: outcomes, evidence: proofs, disposition: dispositions } = attempt.shape;
const MAX_NAME = 200;
const MAX_KEY = 255;

export function attemptOf(entry: Attempt, answers: Answers): ShownAttempt {
  const { wait } = entry;
  const outcome = oneOf(entry.outcome, outcomes.options, 'no-answer');
  const isWait = isRecord(wait) && [wait.delayMs, wait.baseMs, wait.jitterMs].every(Number.isFinite);
  return {
    attempt: count(entry.attempt),
    at: count(entry.at),
    durationMs: count(entry.durationMs),
    outcome,
    evidence: oneOf(entry.evidence, proofs.options, 'doubt'),
    disposition: oneOf(entry.disposition, dispositions.options, 'dead'),
    answer: answers.word(answerOf({ ...entry, outcome, code: entry.code === undefined ? '' : textOf(entry.code) })),
    ...number('status', entry.status),
    ...line('code', entry.code, MAX_CODE, answers.word),
    ...line('requestId', entry.requestId, MAX_REQUEST_ID, answers.word),
    ...(entry.replayed === true && { replayed: true }),
    ...line('message', entry.envelope?.message, MAX_MESSAGE, answers.text),
    ...(typeof entry.body === 'string' && { body: answers.body(entry.body) }),
    ...(isWait && { waitMs: wait.delayMs, waitTrace: explainWait(wait) }),
    ...line('because', entry.because, MAX_MESSAGE, answers.word),
    ...number('lost', entry.lost),
    ...line('worker', entry.worker, MAX_NAME),
  };
}

export function actOf(act: Act): ShownAct {
  const { newKey } = act;
  return {
    act: act.act,
    at: act.at,
    by: line('by', act.by, MAX_NAME).by ?? '?',
    reason: line('reason', act.reason, MAX_MESSAGE).reason ?? '',
    ...number('generation', act.generation),
    ...(isRecord(newKey) && {
      newKey: {
        idempotencyKey: line('key', newKey.idempotencyKey, MAX_KEY).key ?? '?',
        jobId: line('id', newKey.jobId, MAX_KEY).id ?? '?',
      },
    }),
    ...(act.edited === true && { edited: true as const }),
    ...(act.doubleAccepted === true && { doubleAccepted: true as const }),
    ...line('operation', act.operation, MAX_NAME),
  };
}
