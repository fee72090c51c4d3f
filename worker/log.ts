// The log: one canonical line per attempt, with an allow-list of fields. No error, request or job object is ever
// handed to pino: an ioredis error carries the command's arguments, and pino's redact leaves strings alone.
import { type DestinationStream, pino, type Logger } from 'pino';
import { errorFields } from '../core/error-fields.ts';
import type { Attempt } from '../core/journal.ts';
import type { DeadReason } from '../core/decide.ts';
import type { Verdict } from '../core/verdict.ts';

export type WorkerLog = Logger;

/** @param destination where lines go; standard output when left out */
export function createLog(level: string, base: Record<string, string>, destination?: DestinationStream): WorkerLog {
  return pino({ level, base, timestamp: isoTime, serializers: { err: errorFields } }, destination ?? standardOutput());
}

let at = 0;
let time = '';

/** To write a time costs as much as the rest of a line: once for all lines of a millisecond. */
function isoTime(): string {
  const now = Date.now();
  if (now !== at) {
    at = now;
    time = `,"time":"${new Date(now).toISOString()}"`;
  }
  return time;
}

let lines = '';

/**
 * Node's own stream, not pino's: that one repeats a write to a full disk for ever, and the worker would hang in it,
 * its writes in flight, deaf to signals (tried). Here such lines are lost, and writes go on.
 * The lines of one turn of the event loop go out together: a system call for each was a sixth of a worker's time.
 */
function standardOutput(): DestinationStream {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => {});
  // oxlint-disable-next-line no-restricted-properties -- what is left goes out, whoever ends the process
  if (!process.listeners('exit').includes(flush)) process.on('exit', flush);
  return {
    write: (line) => {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
  };
}

function flush(): void {
  const text = lines;
  lines = '';
  if (text !== '') process.stdout.write(text);
}

/** Everything there is to say about one attempt. */
export interface AttemptLine {
  destination: string;
  jobId: string;
  idempotencyKey?: string;
  entry: Attempt;
  /** Epoch ms; for a retry or a postponement. */
  nextAttemptAt?: number;
  reason?: DeadReason;
  verdict?: Verdict;
}

/** One line: info delivered, warn retried or postponed, error dead. */
export function logAttempt(log: WorkerLog, line: AttemptLine): void {
  const { entry } = line;
  const fields = {
    request_id: entry.requestId ?? null,
    idempotency_key: line.idempotencyKey ?? null,
    destination: line.destination,
    job_id: line.jobId,
    attempt: entry.attempt,
    status: entry.status ?? null,
    code: entry.code ?? null,
    duration_ms: entry.durationMs,
    disposition: entry.disposition,
    ...(entry.because !== undefined && { because: entry.because }),
    ...(line.nextAttemptAt !== undefined && { next_attempt_at: new Date(line.nextAttemptAt).toISOString() }),
    ...(line.reason && { reason: line.reason }),
    ...(line.verdict && { verdict: line.verdict }),
    ...(entry.replayed && { replayed: true }),
    ...(entry.lost && { lost: entry.lost }),
  };
  switch (entry.disposition) {
    case 'delivered':
      return log.info(fields, 'delivered');
    case 'retry':
      return log.warn(fields, 'will be retried');
    case 'postpone':
      return log.warn(fields, 'postponed');
    case 'dead':
      return log.error(fields, 'dead');
  }
}

/** Lets at most `perSecond` lines through, and says how many it held back: a Redis in trouble errs thousands of times. */
export function throttled(write: (error: Error, heldBack: number) => void, perSecond = 5): (error: Error) => void {
  let windowAt = 0;
  let count = 0;
  let heldBack = 0;
  return (error) => {
    const now = Date.now();
    if (now - windowAt >= 1000) {
      windowAt = now;
      count = 0;
    }
    if (++count > perSecond) {
      heldBack++;
      return;
    }
    write(error, heldBack);
    heldBack = 0;
  };
}
