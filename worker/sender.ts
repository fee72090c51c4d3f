// The way to one destination: its Pool, every attempt in flight, and a watchdog over the Pool.
import type { Dispatcher } from 'undici';
import { answerCleaner } from '../core/echo.ts';
import { DEADLINE_QUEUED, type Outcome, SHUTDOWN } from '../core/outcome.ts';
import type { Write } from '../core/write.ts';
import { attempt } from './attempt.ts';
import { Flights } from './flights.ts';
import type { WorkerLog } from './log.ts';
import { createPool } from './pool.ts';
import { requestsTo, type Target } from './request.ts';

export interface Sender {
  /** Sends a write once. @param admittedAt when it was judged that it may be sent, epoch ms */
  readonly send: (write: Write, admittedAt: number) => Promise<Outcome>;
  /** Ends every attempt in flight; what they sent may have been applied. */
  cutOff(): void;
  close(): Promise<void>;
}

/** @param redact takes credentials out of an answer's text; what the destination's `redact` masks goes with them */
export function createSender(target: Target, redact: (text: string) => string, log: WorkerLog): Sender {
  const { config, name } = target;
  const toRequest = requestsTo(target);
  const flights = new Flights(config.timeoutMs);
  let pool = createPool(config);
  let stuck = 0;

  /**
   * A Pool that hands out no connection at all, attempt after attempt, is replaced: one known way to wedge it is shut
   * (request.ts checks what undici chokes on), and there may be others.
   */
  const watch = (used: Dispatcher, outcome: Outcome): void => {
    if (used !== pool) return;
    stuck = outcome.kind === 'not-sent' && outcome.code === DEADLINE_QUEUED ? stuck + 1 : 0;
    if (stuck < config.concurrency * 2) return;
    stuck = 0;
    log.warn({ destination: name }, 'no connection became free for a long time; the connection pool is replaced');
    const old = pool;
    pool = createPool(config);
    // Attempts that it has sent keep their own deadlines.
    setTimeout(() => void old.destroy().catch(() => {}), config.timeoutMs * 2).unref();
  };

  return {
    send: async (write, admittedAt) => {
      const request = toRequest(write);
      if ('kind' in request) return request;
      const used = pool;
      const withoutEchoes = answerCleaner(write, config.redact, config.idempotency.inProgressCodes);
      const outcome = await attempt(used, request, {
        flights,
        admittedAt,
        replayedHeader: config.idempotency.replayedHeader,
        redact: (text) => withoutEchoes(redact(text)),
      });
      watch(used, outcome);
      return outcome;
    },
    cutOff: () => flights.endAll(SHUTDOWN),
    close: () => pool.destroy().catch(() => {}),
  };
}
