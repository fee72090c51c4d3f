// The consumer: BullMQ's Worker over our backend. It gives each write to a handler and carries out what that decides.
import { type Job, type MinimalJob, UnrecoverableError } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { WaybillBackend } from './backend.ts';
import { isDamagedJournal, unknownJournal } from '../core/journal.ts';
import { backendFactory } from './backend-factory.ts';
import type { Clock } from './clock.ts';
import { prefixOf } from './keys.ts';
import type { Trims } from './acting-backend.ts';
import { type DeadLetter, deadLetter } from './letter.ts';
import { keepRetention, type RetentionOptions } from './retention.ts';
import { RetryLater, settle, type Settlement } from './settle.ts';
import { createTeller, type OnSettled, type Teller } from './teller.ts';
import { rawText, take, type Taken } from './take.ts';
import type { TakenJob } from './taken-job.ts';
import { asTombstone, type Tombstone } from './tombstone.ts';
import { WriteWorker } from './write-worker.ts';

export interface ConsumerOptions {
  destination: string;
  /** Not closed by the consumer. It needs maxRetriesPerRequest: null. */
  client: Redis | Cluster;
  /** Stands in the journal and in BullMQ's `processedBy`. */
  workerName: string;
  concurrency: number;
  maxAttempts: number;
  lockMs: number;
  stalledIntervalMs: number;
  /** Longest that sending one write may take. */
  timeoutMs: number;
  /** A consumer that could take a write asks for one within this time. */
  fetchWithinMs: number;
  retention: RetentionOptions;
  retentionIntervalMs: number;
  clock: Clock;
  /** Decides about one write; must not throw for what the API does. */
  handle: (taken: Taken) => Promise<Settlement>;
  onError: (error: Error) => void;
  /** A write that BullMQ failed without giving it to `handle`, once its dead letter is filed. */
  onFiled: (letter: DeadLetter) => void;
  onSettled?: OnSettled;
  /** Retention took open dead letters away. */
  onTrimmed: (trims: Trims) => void;
}

/** Used when a retry was not drawn by decide(). A strategy that threw would leave the job active, its lock unrenewed. */
const FALLBACK_DELAY_MS = 1000;
/** After a connection error; BullMQ's own 15 s would idle a worker that long after every failover. */
const RUN_RETRY_DELAY_MS = 1000;

/**
 * An idle consumer asks for a write so often within fetchWithinMs. One that is added wakes it at once, unless Redis
 * wakes a worker in its place that has lost power or stands still: then it waits for this.
 */
const FETCHES_WITHIN = 6;
/** BullMQ: a longer block is trouble after a reconnection. */
const MAX_WAIT_MS = 10_000;

/** What BullMQ says when it fails a job without running our code. */
const CRASHED = /stalled more than allowable limit|started more than allowable limit/;

export interface Consumer {
  readonly destination: string;
  /** Writes that are being sent or settled. */
  readonly inFlight: number;
  /** When it last asked Redis for a write, or its answer came; on the clock of performance.now(). */
  readonly turnedAt: number;
  /** Past this time without such a turn it is stuck: longer while every slot is taken. */
  readonly turnsWithinMs: number;
  /** Whether it could take one more write. */
  readonly hasRoom: boolean;
  /**
   * Starts afresh on a connection of its own. Writes in flight are settled as they would have been, and their locks
   * renewed until then.
   */
  renew(): void;
  /** Takes no more writes and waits for those in flight. */
  close(): Promise<void>;
  /** Waits for the onSettled hooks that run, each for lockMs from its start. */
  told(): Promise<void>;
  /** Lets go of Redis at once; writes in flight are taken again once their locks have run out. */
  drop(): void;
}

/** Starts to take writes. */
export function consume(options: ConsumerOptions): Consumer {
  const teller = startTeller(options, () => backendOf(worker));
  let worker = startWorker(options, teller);
  let rounds = startRounds(worker, options);
  let closed: Promise<unknown> | undefined;
  /** Those that were let go of, until their writes in flight are settled. */
  const retiring = new Map<WriteWorker, Promise<void>>();
  const retire = (old: WriteWorker): void => {
    rounds.stop();
    retiring.set(
      old,
      old.retire().finally(() => retiring.delete(old)),
    );
  };
  const hasRoom = (): boolean => worker.inFlight < options.concurrency;
  return {
    destination: options.destination,
    get inFlight() {
      return [...new Set([worker, ...retiring.keys()])].reduce((sum, one) => sum + one.inFlight, 0);
    },
    get turnedAt() {
      return worker.turnedAt;
    },
    get turnsWithinMs() {
      // Settling is tried again for half a lock time.
      return options.fetchWithinMs + (hasRoom() ? 0 : options.timeoutMs + options.lockMs / 2);
    },
    get hasRoom() {
      return hasRoom();
    },
    renew: () => {
      if (closed) return;
      retire(worker);
      worker = startWorker(options, teller);
      rounds = startRounds(worker, options);
    },
    close: async () => {
      if (!closed) {
        teller?.stop();
        retire(worker);
        closed = Promise.all(retiring.values());
      }
      await closed;
    },
    told: async () => teller?.told(),
    drop: () => {
      for (const one of [worker, ...retiring.keys()]) one.abandon();
    },
  };
}

function startWorker(options: ConsumerOptions, teller: Teller | undefined): WriteWorker {
  const { destination, client, handle } = options;
  const waitMs = Math.min(options.fetchWithinMs / FETCHES_WITHIN, MAX_WAIT_MS);
  const worker: WriteWorker = new WriteWorker(
    destination,
    async (given: Job, token?: string) => {
      const job = given as TakenJob;
      const tombstone = asTombstone(job.data);
      if (tombstone) return refuseTombstone(tombstone);
      const begun = take(job, job.raw);
      const taken = begun.lost > 0 || isDamagedJournal(job.progress) ? await withPast(backend, job, begun) : begun;
      job.opts.attempts = taken.write?.maxAttempts ?? options.maxAttempts;
      // What the tombstone is made of when it is delivered.
      job.data = taken.write ?? {};
      const raw = taken.write ? undefined : rawText(job.raw);
      if (taken.write) job.raw = '';
      const settlement = await handle(taken);
      return settle(backend, job, token ?? '', taken, settlement, raw);
    },
    {
      connection: client,
      prefix: prefixOf(destination),
      autorun: false,
      name: options.workerName,
      concurrency: options.concurrency,
      lockDuration: options.lockMs,
      stalledInterval: options.stalledIntervalMs,
      // Out of the way: crashes are counted from the journal.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      runRetryDelay: RUN_RETRY_DELAY_MS,
      drainDelay: waitMs / 1000,
      maximumRateLimitDelay: waitMs,
      settings: {
        backoffStrategy: (_made, _type, error) =>
          error instanceof RetryLater ? error.wait.delayMs : FALLBACK_DELAY_MS,
      },
    },
    backendFactory(client, false),
  );
  const backend = backendOf(worker);
  worker.clockAgrees = () => options.clock.agrees();
  backend.clockAheadMs = () => options.clock.aheadMs();
  backend.tell = teller?.tell;
  backend.letterOf = (job, failedReason, now) => letterOf(options, job, failedReason, now);
  backend.onFiled = (job, letter) => {
    if ((job as TakenJob).dead) return;
    try {
      options.onFiled(letter);
    } catch {
      // A log that cannot be written must not decide about a write.
    }
  };
  worker.on('error', options.onError);
  worker.run().catch(options.onError);
  return worker;
}

const backendOf = (worker: WriteWorker): WaybillBackend => worker.getBackend() as unknown as WaybillBackend;

function startTeller(options: ConsumerOptions, backend: () => WaybillBackend): Teller | undefined {
  const { destination, client, onSettled, lockMs, concurrency, onError } = options;
  if (!onSettled) return undefined;
  return createTeller({
    destination,
    client,
    claim: (before, count, now) => backend().claimUntold(before, count, now),
    onSettled,
    withinMs: lockMs,
    concurrency,
    onError,
  });
}

function startRounds(worker: WriteWorker, options: ConsumerOptions): ReturnType<typeof keepRetention> {
  return keepRetention({
    backend: backendOf(worker),
    retention: options.retention,
    intervalMs: options.retentionIntervalMs,
    onTrimmed: options.onTrimmed,
    onError: options.onError,
  });
}

const keyPolicyOf = ({ retention: { keyTtlMs }, timeoutMs }: ConsumerOptions) => ({ keyTtlMs, timeoutMs });

function letterOf(options: ConsumerOptions, job: MinimalJob, failedReason: string, now: number): DeadLetter {
  const { dead: facts, deferredFailure, raw } = job as TakenJob;
  if (facts) return deadLetter(facts, keyPolicyOf(options), now);
  // BullMQ failed it before our code ran, or our code broke in the middle.
  const { jobId, enqueuedAt, lost, journal, write } = take(job as TakenJob, raw);
  const crashed = CRASHED.test(failedReason);
  return deadLetter(
    {
      destination: options.destination,
      jobId,
      enqueuedAt,
      reason: crashed ? 'crashed' : deferredFailure ? 'invalid' : 'exhausted',
      because: crashed
        ? failedReason
        : deferredFailure
          ? 'another job of its flow failed; it was not sent'
          : 'failed outside of the contract',
      lost: deferredFailure ? lost : lost + 1,
      journal,
      ...(write ? { write } : { raw: rawText(raw) }),
    },
    keyPolicyOf(options),
    now,
  );
}

/** What more has to be read of the few that have lost starts, or a damaged journal. */
const withPast = async (backend: WaybillBackend, job: Job, taken: Taken): Promise<Taken> =>
  withLostAt(backend, await withKnownPast(backend, job, taken));

/** A damaged journal of a first life is that of lost starts. Of a replayed write's life before nothing is known then. */
async function withKnownPast(backend: WaybillBackend, job: Job, taken: Taken): Promise<Taken> {
  if (!isDamagedJournal(job.progress)) return taken;
  const generation = await backend.lettersOf(taken.jobId);
  return generation === 0 ? taken : { ...taken, journal: unknownJournal(generation) };
}

/** One more read. Without a record it began when it was added at the earliest. */
async function withLostAt(backend: WaybillBackend, taken: Taken): Promise<Taken> {
  if (taken.lost === 0) return taken;
  const recorded = await backend.lostAt(taken.jobId, taken.takenAt);
  return { ...taken, lostAt: Math.min(recorded ?? taken.enqueuedAt, Date.now()) };
}

/** A settled write that a plain BullMQ tool moved back into the queue goes back to where it was, unsent. */
function refuseTombstone(tombstone: Tombstone): unknown {
  if (tombstone.settled === 'delivered') return tombstone.delivery;
  const error = new UnrecoverableError('dead: its dead letter stands');
  error.stack = '';
  throw error;
}
