// The consumer: BullMQ's Worker over our backend. It gives each write to a handler and carries out what that decides.
import { type Job, type JobJson, type MinimalJob, UnrecoverableError, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { WaybillBackend } from './backend.ts';
import { backendFactory } from './backend-factory.ts';
import { prefixOf } from './keys.ts';
import { type DeadLetter, deadLetter } from './letter.ts';
import { deadFacts, RetryLater, settle, type Settlement } from './settle.ts';
import { CORRUPT, rawText, take, type Taken } from './take.ts';
import { asTombstone, type Tombstone } from './tombstone.ts';

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
  /** How long a delivered write's tombstone is kept. */
  keepDeliveredMs: number;
  /** Decides about one write; must not throw for what the API does. */
  handle: (taken: Taken) => Promise<Settlement>;
  onError: (error: Error) => void;
  /** A write that BullMQ failed without giving it to `handle`. */
  onFiled: (letter: DeadLetter) => void;
}

/** Used when a retry was not drawn by decide(): BullMQ must never get a throwing strategy (FACTS: no lock renewal). */
const FALLBACK_DELAY_MS = 1000;
/** After a connection error; BullMQ's own 15 s would idle a worker that long after every failover. */
const RUN_RETRY_DELAY_MS = 1000;

/** What BullMQ says when it fails a job without running our code. */
const CRASHED = /stalled more than allowable limit|started more than allowable limit/;

class WriteWorker extends Worker {
  /** The jobs' data as it stands in Redis. */
  readonly raw = new WeakMap<object, string>();

  protected override createJob(json: JobJson, jobId: string): Job {
    const job = this.#parse(json, jobId);
    this.raw.set(job, json.data);
    // Policy is the worker's, whoever enqueued the write (DESIGN decision 4).
    job.opts.backoff = { type: 'custom' };
    delete job.opts.removeOnComplete;
    delete job.opts.removeOnFail;
    return job;
  }

  /** Data is parsed once, by BullMQ; what cannot be parsed is left out, and take() finds the raw text corrupt. */
  #parse(json: JobJson, jobId: string): Job {
    try {
      return super.createJob(json, jobId);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return super.createJob({ ...json, data: CORRUPT }, jobId);
    }
  }
}

export interface Consumer {
  /** Takes no more writes and waits for those in flight. */
  close(): Promise<void>;
  /** Lets go of Redis at once; writes in flight are taken again once their locks have run out. */
  drop(): void;
}

/** Starts to take writes. */
export function consume(options: ConsumerOptions): Consumer {
  const { destination, client, handle } = options;

  const worker: WriteWorker = new WriteWorker(
    destination,
    async (job: Job, token?: string) => {
      const raw = worker.raw.get(job) ?? '';
      const tombstone = asTombstone(job.data);
      if (tombstone) return refuseTombstone(tombstone);
      const taken = await withLostAt(backend, take(job, raw));
      job.opts.attempts = taken.write?.maxAttempts ?? options.maxAttempts;
      // What the tombstone is made of when it is delivered.
      job.data = taken.write ?? {};
      const settlement = await handle(taken);
      return settle(backend, job, token ?? '', taken, settlement, taken.write ? undefined : rawText(raw));
    },
    {
      connection: client,
      prefix: prefixOf(destination),
      autorun: false,
      name: options.workerName,
      concurrency: options.concurrency,
      lockDuration: options.lockMs,
      stalledInterval: options.stalledIntervalMs,
      // Out of the way: crashes are counted from the journal (DESIGN decision 6).
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      runRetryDelay: RUN_RETRY_DELAY_MS,
      removeOnComplete: { age: Math.ceil(options.keepDeliveredMs / 1000) },
      settings: {
        backoffStrategy: (_made, _type, error) =>
          error instanceof RetryLater ? error.wait.delayMs : FALLBACK_DELAY_MS,
      },
    },
    backendFactory(client, false),
  );
  const backend = worker.getBackend() as unknown as WaybillBackend;
  backend.letterOf = (job, failedReason) => letterOf(worker, options, job, failedReason);
  worker.on('error', options.onError);
  worker.run().catch(options.onError);
  return { close: () => worker.close(), drop: () => void worker.disconnect().catch(() => {}) };
}

function letterOf(worker: WriteWorker, options: ConsumerOptions, job: MinimalJob, failedReason: string): DeadLetter {
  const facts = deadFacts.get(job);
  if (facts) return deadLetter(facts, Date.now());
  // BullMQ failed it before our code ran, or our code broke in the middle.
  const { deferredFailure } = job as Job;
  const raw = worker.raw.get(job) ?? '';
  const { jobId, enqueuedAt, lost, journal, write } = take(job as Job, raw);
  const crashed = CRASHED.test(failedReason);
  const letter = deadLetter(
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
    Date.now(),
  );
  options.onFiled(letter);
  return letter;
}

/** One more read, for the few that have lost starts. Without a record it began when it was added at the earliest. */
async function withLostAt(backend: WaybillBackend, taken: Taken): Promise<Taken> {
  if (taken.lost === 0) return taken;
  const recorded = await backend.lostAt(taken.jobId);
  return { ...taken, lostAt: Math.min(recorded ?? taken.enqueuedAt, Date.now()) };
}

/** A settled write that a plain BullMQ tool moved back into the queue goes back to where it was, unsent. */
function refuseTombstone(tombstone: Tombstone): unknown {
  if (tombstone.settled === 'delivered') return tombstone.delivery;
  const error = new UnrecoverableError('dead: its dead letter stands');
  error.stack = '';
  throw error;
}
