// A write that somebody looked for, as the API shows it.
import type { Config } from '../../../core/config.ts';
import { VERDICTS } from '../../../core/verdict.ts';
import { MAX_PATH_LENGTH } from '../../../core/write.ts';
import type { Found } from '../../../queue/find.ts';
import type { FoundWrite } from '../contract/audit.ts';
import { answersTo } from './answers.ts';
import { actOf, attemptOf } from './attempt.ts';
import { maskingOf } from './masking.ts';
import { count, line, number, oneOf } from './sure.ts';

/** Of a write that is not dead its body is not read: what its answers could repeat of it is hidden, where there are rules. */
export function foundOf(found: Found, config: Pick<Config, 'destinations' | 'dashboard'>): FoundWrite {
  const { destination, jobId, state, verdict, journal, delivery, letter, replacedBy } = found;
  const answers = answersTo(letter?.write, maskingOf(config, destination));
  return {
    destination,
    jobId,
    ...line('idempotencyKey', found.idempotencyKey, 255),
    state,
    verdict: oneOf(verdict, VERDICTS, 'in-doubt'),
    ...line('method', found.method, 20),
    ...line('path', found.path, MAX_PATH_LENGTH),
    enqueuedAt: count(found.enqueuedAt),
    ...number('nextAttemptAt', found.nextAttemptAt),
    requestIds: found.requestIds.flatMap((id) => line('id', id, 200, answers.word).id ?? []),
    attempts: journal.attempts.map((entry) => attemptOf(entry, answers)),
    ...(delivery && {
      delivery: {
        status: count(delivery.status),
        ...line('requestId', delivery.requestId, 200, answers.word),
        deliveredAt: count(delivery.deliveredAt),
        attempts: count(delivery.attempts),
      },
    }),
    ...(letter && { letter: letter.id }),
    ...(replacedBy && { replacedBy: { idempotencyKey: replacedBy.idempotencyKey, jobId: replacedBy.jobId } }),
    ...line('origin', found.origin, 300),
    acts: (letter?.acts ?? []).map(actOf),
  };
}
