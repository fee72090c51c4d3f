// WriteQueue: a BullMQ Queue whose add() compares, adds and answers.
import { randomUUID } from 'node:crypto';
import { Job, type JobsOptions, Queue } from 'bullmq';
import { WaybillError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import type { WaitForReplicas } from '../core/redis-settings.ts';
import {
  checkDestinationName,
  checkIdempotencyKey,
  jobIdOf,
  payloadHash,
  toWrite,
  type Write,
  type WriteInput,
} from '../core/write.ts';
import { type AddOptions, checkOptions } from './add-options.ts';
import type { Added, Addition, Replicated } from './adding-backend.ts';
import type { WaybillBackend } from './backend.ts';
import { backendFactory } from './backend-factory.ts';
import { connect, type Connection, type ConnectionInput, disconnect, PRODUCER_OPTIONS } from './connection.ts';
import { DEFAULT_MAX_ATTEMPTS } from '../core/config-schema.ts';
import type { Delivery } from './delivery.ts';
import { Gathering, NotBegunError } from './gather.ts';
import { prefixOf } from './keys.ts';
import { register } from './registry.ts';
import { notReplicated, notTried } from './replicated.ts';
import type { Ending } from './ending.ts';
import { asTombstone } from './tombstone.ts';
import { answerWithin, unavailable } from './unavailable.ts';
import { WAIT_MS, waitForEnding } from './wait-for.ts';

/** The job of a write. `duplicate` is true when its key stood in the queue with the same payload already. */
export type WriteJob = Job<Write, Delivery> & { duplicate: boolean };

export interface BulkItem {
  name: 'send';
  data: WriteInput;
  opts?: AddOptions;
}

/** One answer of addBulk, in its item's place. */
export type BulkAnswer =
  | { status: 'queued' | 'duplicate'; job: WriteJob }
  /**
   * `unavailable`: add it again with the same key (QUEUE_UNAVAILABLE, NOT_REPLICATED). `refused`: Redis answered, but
   * would not store it (QUEUE_REFUSED).
   */
  | { status: 'conflict' | 'invalid' | 'unavailable' | 'refused'; error: WaybillError };

/** Answers or QUEUE_UNAVAILABLE within 2 s, what was spent on connecting included. */
const ANSWER_WITHIN_MS = 1900;
/** addBulk sends this many at a time, so that no pipeline holds Redis up. */
const BULK_SLICE = 200;
/** Adds that wait for replicas go together, up to so many. */
const MOST_TOGETHER = 5 * BULK_SLICE;
const MAX_WAIT_MS = 2 ** 31 - 1;

type AddedOnce = Pick<Replicated, 'added'> | Replicated;

interface Prepared {
  job: WriteJob;
  hash: string;
}

export class WriteQueue extends Queue<Write, Delivery> {
  readonly #connection: Connection;
  readonly #wait: WaitForReplicas | undefined;
  readonly #replicated: Gathering<Addition, Replicated> | undefined;
  #registered = false;

  /** @param wait over what the settings of the connection say */
  constructor(destination: string, input: ConnectionInput, wait?: WaitForReplicas) {
    checkDestinationName(destination);
    const connection = connect(input, PRODUCER_OPTIONS);
    // The version check is left out: its INFO, failing once, would leave the queue unusable for good.
    super(
      destination,
      { connection: connection.client, prefix: prefixOf(destination) },
      backendFactory(connection.client, true),
    );
    this.#connection = connection;
    const waited = (this.#wait = wait ?? connection.waitForReplicas);
    if (waited) {
      // WAIT holds its connection up: add by add, many at once would each wait for all before them.
      const run = (all: readonly Addition[]) => this.#backend().addReplicated(all, waited);
      // What begins by then has the time of its wait, and half of that of any add.
      const beginWithinMs = ANSWER_WITHIN_MS / 2 + waited.timeoutMs;
      this.#replicated = new Gathering(run, ANSWER_WITHIN_MS + waited.timeoutMs, beginWithinMs, MOST_TOGETHER);
    }
    // An EventEmitter's unheard 'error' throws; what matters is told by the rejected add().
    this.on('error', () => {});
  }

  /**
   * Enqueues one write.
   * @returns its job; `job.data.idempotencyKey` is its key, `job.duplicate` tells that it was there already
   * @throws WaybillError INVALID_WRITE before Redis is touched · IDEMPOTENCY_CONFLICT when the key stands for another
   *   payload · QUEUE_UNAVAILABLE within 2 s when Redis is away: adding again with the same key is safe ·
   *   QUEUE_REFUSED when Redis refuses · NOT_REPLICATED when replicas are waited for and too few have it in time, also
   *   where it was there already; then each answer may take twice that time more, unless Redis is away
   */
  override async add(name: 'send', data: WriteInput, opts?: AddOptions): Promise<WriteJob> {
    const prepared = this.#prepare(name, data, opts);
    const [answer] = await this.#enqueue([prepared]);
    if (answer && 'job' in answer) return answer.job;
    throw answer?.error ?? unavailable(this.#connection.label, prepared.job.data.idempotencyKey);
  }

  /**
   * Enqueues many writes; every item is answered in its own place, and one that is refused never stops the others.
   */
  override addBulk(items: readonly BulkItem[]): Promise<BulkAnswer[]>;
  /** BullMQ's own signature: what it promises, one job per item, cannot be kept when items are refused. */
  override addBulk(items: never): never;
  override async addBulk(items: readonly BulkItem[]): Promise<BulkAnswer[]> {
    if (!Array.isArray(items)) throw new WaybillError('INVALID_WRITE', 'items: must be an array', { field: 'items' });
    const answers: (BulkAnswer | undefined)[] = Array.from({ length: items.length });
    const prepared: { index: number; item: Prepared }[] = [];
    for (const [index, item] of items.entries()) {
      try {
        if (!isRecord(item))
          throw new WaybillError('INVALID_WRITE', 'item: must be an object { name, data, opts? }', { field: 'item' });
        prepared.push({ index, item: this.#prepare(item.name, item.data, item.opts) });
      } catch (error) {
        if (!(error instanceof WaybillError)) throw error;
        answers[index] = { status: 'invalid', error };
      }
    }
    let left: string | undefined;
    for (let from = 0; from < prepared.length; from += BULK_SLICE) {
      const slice = prepared.slice(from, from + BULK_SLICE);
      const some = slice.map(({ item }) => item);
      // Once Redis is away, or its replicas are, the rest is not tried: each slice would wait for its own limit.
      const why = left;
      const answered = why === undefined ? await this.#enqueue(some) : some.map((item) => this.#untried(item, why));
      slice.forEach(({ index }, i) => (answers[index] = answered[i]));
      left ??= whyLeft(answered);
    }
    return answers as BulkAnswer[];
  }

  /**
   * Waits for a write to end.
   * @param keyOrJob its idempotency key, or its job
   * @param options timeoutMs: how long, 0 to 2 147 483 647; 30 000 when left out; 0 looks once, for 2 s at most
   * @returns how it ended: delivered, dead or discarded, with verdict and request_id. Read from where the write stands,
   *   hence correct after any restart. A write that an operator replayed under a new key ends as that one does.
   * @throws WaybillError NOT_FOUND when it was never added here or is kept no more · WAIT_TIMEOUT · QUEUE_UNAVAILABLE when
   *   Redis was away at the end of that time · QUEUE_REFUSED at once when Redis refuses · INVALID_WRITE for a key, a job
   *   or a time that is none
   */
  async waitFor(
    keyOrJob: string | Pick<Job, 'id'>,
    { timeoutMs = WAIT_MS }: { timeoutMs?: number } = {},
  ): Promise<Ending> {
    if (!Number.isInteger(timeoutMs) || timeoutMs < 0 || timeoutMs > MAX_WAIT_MS) {
      const message = `options.timeoutMs: must be a whole number from 0 to ${MAX_WAIT_MS}`;
      throw new WaybillError('INVALID_WRITE', message, { field: 'options.timeoutMs' });
    }
    return waitForEnding(this.#connection, this.name, idOf(keyOrJob), timeoutMs);
  }

  /** Closes the queue, and its connection unless the caller gave it. Never hangs. */
  override async close(): Promise<void> {
    if (this.#connection.client.status !== 'ready' && this.#connection.owned) this.#connection.client.disconnect();
    await super.close();
    await disconnect(this.#connection);
  }

  #prepare(name: unknown, data: unknown, opts: unknown): Prepared {
    if (name !== 'send') throw new WaybillError('INVALID_WRITE', "name: must be 'send'", { field: 'name' });
    const options = checkOptions(opts);
    const write = toWrite(data, () => options.idempotencyKey ?? randomUUID());
    if (options.idempotencyKey !== undefined && options.idempotencyKey !== write.idempotencyKey) {
      throw new WaybillError('INVALID_WRITE', 'options.idempotencyKey: differs from the one in the payload', {
        field: 'options.idempotencyKey',
      });
    }
    if (options.maxAttempts !== undefined) write.maxAttempts = options.maxAttempts;
    if (options.expiresAt !== undefined) write.expiresAt = options.expiresAt;
    const jobOptions: JobsOptions = {
      attempts: write.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      backoff: { type: 'custom' },
      ...(options.delay && { delay: options.delay }),
      ...(options.priority && { priority: options.priority }),
    };
    const job = new Job<Write, Delivery>(this, name, write, jobOptions, jobIdOf(write.idempotencyKey)) as WriteJob;
    job.duplicate = false;
    return { job, hash: payloadHash(write) };
  }

  async #enqueue(prepared: readonly Prepared[]): Promise<BulkAnswer[]> {
    const { label } = this.#connection;
    let answers: (AddedOnce | Error)[];
    try {
      answers = await this.#send(prepared);
    } catch (error) {
      answers = prepared.map(() => error as Error);
    }
    return prepared.map(({ job }, i): BulkAnswer => {
      const replied = answers[i];
      const answer = replied instanceof Error ? replied : replied?.added;
      const key = job.data.idempotencyKey;
      if (answer instanceof NotBegunError) {
        return { status: 'unavailable', error: notTried(label, key, answer.message) };
      }
      if (answer === undefined || answer instanceof Error) {
        const error = unavailable(label, key, answer);
        return { status: error.code === 'QUEUE_REFUSED' ? 'refused' : 'unavailable', error };
      }
      if (answer.status === 'conflict') {
        const message = `idempotency key ${JSON.stringify(key)} stands for another payload in ${this.name}; nothing was enqueued. Use a new key for a new write.`;
        return {
          status: 'conflict',
          error: new WaybillError('IDEMPOTENCY_CONFLICT', message, { field: 'idempotencyKey' }),
        };
      }
      if (this.#wait) {
        const { replicas, waitedMs } = replied as Replicated;
        if (!(typeof replicas === 'number' && replicas >= this.#wait.count)) {
          const waited = { count: this.#wait.count, timeoutMs: waitedMs };
          return { status: 'unavailable', error: notReplicated(label, key, waited, replicas) };
        }
      }
      if (answer.status === 'duplicate') becomeStored(job, answer);
      return { status: answer.status, job };
    });
  }

  #untried({ job }: Prepared, why: string): BulkAnswer {
    return { status: 'unavailable', error: notTried(this.#connection.label, job.data.idempotencyKey, why) };
  }

  /** @throws Error when Redis gives no answer in time, or what it answers to all of them */
  async #send(prepared: readonly Prepared[]): Promise<AddedOnce[]> {
    const startedAt = performance.now();
    const writes = prepared.map(({ job, hash }): Addition => ({ job: job.asJSON(), hash }));
    const replicated = this.#replicated;
    if (!this.#wait || !replicated) {
      return answerWithin(ANSWER_WITHIN_MS, this.#connection, async () => {
        await this.#register();
        return (await this.#backend().addWrites(writes)).map((added) => ({ added }));
      });
    }
    // A Redis that is away is away for those as well that would wait for its replicas.
    await answerWithin(ANSWER_WITHIN_MS, this.#connection, () => this.#register());
    const leftMs = Math.ceil(ANSWER_WITHIN_MS - (performance.now() - startedAt));
    // Those that are under way hold the connection for as long, and then these do.
    return answerWithin(leftMs + 2 * this.#wait.timeoutMs, this.#connection, () => replicated.add(writes));
  }

  async #register(): Promise<void> {
    if (this.#registered) return;
    await register(this.#connection.client, this.name);
    this.#registered = true;
  }

  #backend(): WaybillBackend {
    return this.getBackend() as WaybillBackend;
  }
}

/** Why what follows a slice is not tried, as each slice would wait for its own limit; undefined where it is. */
function whyLeft(answered: readonly BulkAnswer[]): string | undefined {
  if (!answered.every(({ status }) => status === 'unavailable')) return undefined;
  return answered.some((answer) => 'error' in answer && answer.error.code === 'NOT_REPLICATED')
    ? 'too few replicas had those before it'
    : 'Redis did not answer for those before it';
}

function idOf(keyOrJob: unknown): string {
  if (typeof keyOrJob === 'string') return jobIdOf(checkIdempotencyKey(keyOrJob));
  if (isRecord(keyOrJob) && typeof keyOrJob.id === 'string' && keyOrJob.id !== '') return keyOrJob.id;
  const message = 'keyOrJob: must be the idempotencyKey of a write, or its job, which has an id';
  throw new WaybillError('INVALID_WRITE', message, { field: 'keyOrJob' });
}

/** The job that stood there: as it was added, not as this call would have. A settled one's body is this call's, the same. */
function becomeStored(job: WriteJob, stored: Added & { status: 'duplicate' }): void {
  const data: unknown = JSON.parse(stored.data || '{}');
  if (!asTombstone(data)) job.data = data as Write;
  job.opts = JSON.parse(stored.opts || '{}') as JobsOptions;
  job.delay = job.opts.delay ?? 0;
  job.priority = job.opts.priority ?? 0;
  job.timestamp = stored.timestamp;
  job.duplicate = true;
}
