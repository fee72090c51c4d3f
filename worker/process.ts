// The path of one write through a worker: admit → attempt → decide → what settle() carries out.
import { admit, keyOutlives } from '../core/admit.ts';
import { decide, type Disposition, type Policy } from '../core/decide.ts';
import { type Attempt, firstSentAt, record } from '../core/journal.ts';
import { INTERNAL, type Outcome } from '../core/outcome.ts';
import { evidenceOf, verdictOf } from '../core/verdict.ts';
import type { Write } from '../core/write.ts';
import type { Settlement } from '../queue/settle.ts';
import type { Taken } from '../queue/take.ts';
import type { Delivery } from '../queue/delivery.ts';
import { type AttemptLine, logAttempt, type WorkerLog } from './log.ts';
import type { WriteMetrics } from './metrics.ts';
import type { MinuteFigures } from './minutes.ts';

export interface Processing {
  destination: string;
  policy: Policy;
  workerName: string;
  log: WorkerLog;
  /** Sends the write once; reports `blocked` when this destination cannot send it. */
  send: (write: Write, admittedAt: number) => Promise<Outcome>;
  metrics?: WriteMetrics | undefined;
  minutes?: MinuteFigures;
}

/** @returns how the write is to be settled; nothing that the API or the log does makes it throw */
export async function processWrite(taken: Taken, processing: Processing): Promise<Settlement> {
  const { write, journal, lost, lostAt, takenAt } = taken;
  const { policy, workerName, metrics, minutes } = processing;
  const startedAt = Date.now();
  const limits = {
    ...(takenAt !== undefined && { takenAt }),
    ...(lostAt !== undefined && { lostAt }),
    ...(write?.expiresAt !== undefined && { expiresAt: write.expiresAt }),
  };
  const base = {
    attempt: journal.attempts.length + 1,
    at: startedAt,
    ...(lost > 0 && { lost }),
    worker: workerName,
  };

  // What is no write is never sent: that alone is why it is dead.
  const refused = write && admit(journal, lost, limits, policy, startedAt);
  if (refused) {
    const entry: Attempt = { ...base, ...why(refused), durationMs: 0, outcome: 'blocked', evidence: 'nothing' };
    log(entry, refused, verdictOf(journal, lost));
    if (refused.kind === 'dead') {
      metrics?.dead(refused.reason);
      minutes?.dead();
    }
    // No attempt was made: the journal gets no entry.
    return { disposition: refused, journal, lost };
  }

  let outcome: Outcome;
  try {
    outcome = write ? await processing.send(write, startedAt) : noWrite(taken);
  } catch {
    // Our own code broke in the middle of an attempt: it may have been sent.
    outcome = { kind: 'no-answer', code: INTERNAL, durationMs: Date.now() - startedAt };
  }
  const now = Date.now();
  const disposition = decide(outcome, journal, write?.maxAttempts ?? policy.maxAttempts, policy, now, Math.random());
  const keyAlive = keyOutlives(firstSentAt(journal, lost, lostAt) ?? startedAt, policy, now);
  const entry: Attempt = {
    ...base,
    ...why(disposition),
    ...facts(outcome),
    evidence: evidenceOf(outcome, policy, keyAlive),
  };
  // Of the attempt that delivered a write its delivery is kept, and no entry.
  const delivery =
    disposition.kind === 'delivered' && outcome.kind === 'response' ? deliveryOf(outcome, entry, now) : undefined;
  const next = delivery ? journal : record(journal, entry, lostAt);
  log(entry, disposition, disposition.kind === 'dead' ? verdictOf(next) : undefined);
  metrics?.attempted(entry);
  minutes?.attempted(entry);
  if (disposition.kind === 'dead') {
    metrics?.dead(disposition.reason);
    minutes?.dead();
  }
  if (delivery) metrics?.delivered(now - taken.enqueuedAt);
  return {
    disposition,
    journal: next,
    lost: 0,
    ...(delivery && { delivery }),
  };

  function log(attempt: Attempt, { kind: _kind, ...rest }: Disposition, verdict?: AttemptLine['verdict']): void {
    const line: AttemptLine = {
      destination: processing.destination,
      jobId: taken.jobId,
      entry: attempt,
      ...(write && { idempotencyKey: write.idempotencyKey }),
      ...('wait' in rest && { nextAttemptAt: Date.now() + rest.wait.delayMs }),
      ...('reason' in rest && { reason: rest.reason }),
      ...(verdict && { verdict }),
    };
    try {
      logAttempt(processing.log, line);
    } catch {
      // A log that cannot be written must not decide about a write.
    }
  }
}

const noWrite = ({ invalid }: Taken): Outcome => ({
  kind: 'blocked',
  code: 'INVALID_WRITE',
  message: invalid?.message ?? 'payload: is no write',
});

function why(disposition: Disposition): Pick<Attempt, 'disposition' | 'wait' | 'because'> {
  return {
    disposition: disposition.kind,
    ...('wait' in disposition && { wait: disposition.wait }),
    ...('because' in disposition && { because: disposition.because }),
  };
}

function facts(outcome: Outcome): Pick<Attempt, 'outcome' | 'durationMs'> & Partial<Attempt> {
  if (outcome.kind === 'blocked') return { outcome: 'blocked', durationMs: 0, code: outcome.code };
  if (outcome.kind !== 'response') {
    return { outcome: outcome.kind, durationMs: outcome.durationMs, code: outcome.code };
  }
  const { status, durationMs, requestId, envelope, body, replayed } = outcome;
  return {
    outcome: 'response',
    durationMs,
    status,
    ...(requestId !== undefined && { requestId }),
    ...(envelope && { envelope, code: envelope.code }),
    ...(body !== undefined && { body }),
    ...(replayed && { replayed }),
  };
}

function deliveryOf(
  { status, requestId, durationMs, replayed }: Outcome & { kind: 'response' },
  { attempt, lost, worker }: Attempt,
  now: number,
): Delivery {
  return {
    status,
    ...(requestId !== undefined && { requestId }),
    deliveredAt: now,
    durationMs,
    attempts: attempt,
    ...(replayed && { replayed: true as const }),
    ...(lost !== undefined && { lost }),
    ...(worker !== undefined && { worker }),
  };
}
