// The path of one write through a worker: admit → attempt → decide → what settle() carries out.
import { admit, keyOutlives } from '../core/admit.ts';
import { decide, type Disposition, type Policy } from '../core/decide.ts';
import { type Attempt, firstSentAt, record } from '../core/journal.ts';
import { INTERNAL, type Outcome } from '../core/outcome.ts';
import { evidenceOf, verdictOf } from '../core/verdict.ts';
import type { Settlement } from '../queue/settle.ts';
import type { Taken } from '../queue/take.ts';
import { type AttemptLine, logAttempt, type WorkerLog } from './log.ts';

export interface Processing {
  destination: string;
  policy: Policy;
  workerName: string;
  log: WorkerLog;
  /** Sends the write once; reports `blocked` when this destination cannot send it. */
  send: (taken: Taken) => Promise<Outcome>;
}

/** @returns how the write is to be settled; never throws, or BullMQ would decide */
export async function processWrite(
  taken: Taken,
  { destination, policy, workerName, log, send }: Processing,
): Promise<Settlement> {
  const { write, journal, lost, dueAt } = taken;
  const startedAt = Date.now();
  const facts = {
    dueAt,
    maxAttempts: write?.maxAttempts ?? policy.maxAttempts,
    ...(write?.expiresAt !== undefined && { expiresAt: write.expiresAt }),
  };

  const refused = admit(journal, lost, facts, policy, startedAt);
  if (refused) {
    const entry: Attempt = {
      attempt: journal.attempts.length + 1,
      at: startedAt,
      durationMs: 0,
      outcome: 'blocked',
      evidence: 'nothing',
      disposition: 'dead',
      because: refused.because,
      ...(lost > 0 && { lost }),
    };
    logAttempt(log, line(entry, refused, verdictOf(journal, lost)));
    return { disposition: refused, journal, lost };
  }

  const outcome: Outcome = await (write && !taken.invalid ? send(taken) : Promise.resolve(invalid(taken))).catch(() =>
    bug(startedAt),
  );
  const now = Date.now();
  const disposition = decide(outcome, journal, facts, policy, now, Math.random());
  const alive = keyOutlives(firstSentAt(journal, lost, dueAt) ?? startedAt, policy, now);
  const entry: Attempt = {
    attempt: journal.attempts.length + 1,
    at: startedAt,
    durationMs: outcome.kind === 'blocked' ? 0 : outcome.durationMs,
    outcome: outcome.kind,
    evidence: evidenceOf(outcome, policy, alive),
    disposition: disposition.kind,
    ...observed(outcome),
    ...('wait' in disposition && { wait: disposition.wait }),
    ...('because' in disposition && { because: disposition.because }),
    ...(lost > 0 && { lost }),
    worker: workerName,
  };
  const next = record(journal, entry);
  logAttempt(log, line(entry, disposition, disposition.kind === 'dead' ? verdictOf(next) : undefined));
  return {
    disposition,
    journal: next,
    lost: 0,
    ...(disposition.kind === 'delivered' &&
      outcome.kind === 'response' && {
        delivery: {
          status: outcome.status,
          ...(outcome.requestId !== undefined && { requestId: outcome.requestId }),
          deliveredAt: now,
          durationMs: outcome.durationMs,
          attempts: entry.attempt,
          ...(outcome.replayed && { replayed: true as const }),
          worker: workerName,
        },
      }),
  };

  function line(entry: Attempt, { kind, ...rest }: Disposition, verdict?: AttemptLine['verdict']): AttemptLine {
    return {
      destination,
      jobId: taken.jobId,
      entry,
      ...(write && { idempotencyKey: write.idempotencyKey }),
      ...('wait' in rest && { nextAttemptAt: Date.now() + rest.wait.delayMs }),
      ...('reason' in rest && { reason: rest.reason }),
      ...(verdict && { verdict }),
    };
  }
}

function observed(outcome: Outcome): Partial<Attempt> {
  if (outcome.kind !== 'response') return { code: outcome.code };
  const { status, requestId, envelope, body, replayed } = outcome;
  return {
    status,
    ...(requestId !== undefined && { requestId }),
    ...(envelope && { envelope, code: envelope.code }),
    ...(body !== undefined && { body }),
    ...(replayed && { replayed }),
  };
}

function invalid({ invalid: why }: Taken): Outcome {
  return { kind: 'blocked', code: 'INVALID_WRITE', message: why?.message ?? 'payload: is no write' };
}

/** Our own code broke in the middle of an attempt: it may have been sent. */
function bug(startedAt: number): Outcome {
  return { kind: 'no-answer', code: INTERNAL, durationMs: Date.now() - startedAt };
}
