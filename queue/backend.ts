// The settling half of our BullMQ backend: the gates through which every write leaves (DESIGN decision 5).
//  moveToCompleted  a delivered write leaves its body behind, still BullMQ's one script
//  moveToDelayed    a retry carries the journal, still BullMQ's one script
//  moveToFailed     everything that BullMQ fails is filed as a dead letter, one script
//  moveStalled…     a start that left no record leaves its time
import { setTimeout } from 'node:timers/promises';
import { isNotConnectionError, type JobJson, type MinimalJob, raw2NextJobData, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { WaybillError } from '../core/errors.ts';
import { type Journal, readJournal, withoutBodies } from '../core/journal.ts';
import type { Write } from '../core/write.ts';
import { AddingBackend, type RedisClient } from './adding-backend.ts';
import { deadQueueName, letterId, LOST_AT_FIELD, prefixOf, rowKeys } from './keys.ts';
import { type DeadLetter, requestIdsOf } from './letter.ts';
import { mendHash, parseable } from './mend.ts';
import { DEAD_LETTER, LETTER_EXISTS } from './scripts/dead-letter.ts';
import { MOVE_STALLED } from './scripts/stalled.ts';
import { asTombstone, deadTombstone, deliveredTombstone } from './tombstone.ts';
import { isAway } from './unavailable.ts';
import type { Delivery } from './delivery.ts';

type Fields = Record<string, unknown>;
type Finished = { result: void | unknown[]; finishedOn: number };

/** Commands whose reply may bring the next job's hash. */
const FETCHING = new Set(['moveToActive', 'moveToFinished', 'moveToDelayed']);
/** Before the next fetch after Redis refused one. */
const REFUSED_FETCH_PAUSE_MS = 500;
/** A settled write is settled again while Redis is failing over or out of memory; its lock lives half a lock time at least. */
const SETTLE_AGAIN_MS = 250;
/** A letter may stand under a write's first id when an operator removed the write and it was added again. */
const MAX_LETTERS_OF_A_WRITE = 100;

export class WaybillBackend extends AddingBackend {
  /** Makes the dead letter of a job that BullMQ fails; set by the consumer. */
  letterOf: ((job: MinimalJob, failedReason: string) => DeadLetter) | undefined;
  /** Deliveries of jobs on their way to be finished: an error on that way must not become a retry. */
  readonly deliveries = new WeakMap<object, Delivery>();
  /** Journals on their way to be stored with a retry. BullMQ passes only id and token, and a token goes from job to job. */
  readonly #journals = new Map<string, Journal>();

  /** A delivered write keeps its answer and its key; headers and body go, in BullMQ's own script. */
  override async moveToCompleted(
    job: MinimalJob,
    returnValue: unknown,
    removeOnComplete: Parameters<RedisQueueBackend['moveToCompleted']>[2],
    token: string,
    fetchNext: boolean,
  ): Promise<Finished> {
    const journal = readJournal(job.progress);
    const fields = asTombstone(job.data)
      ? undefined
      : {
          data: JSON.stringify(deliveredTombstone(job.data as Write, returnValue as Delivery)),
          ...(journal.attempts.length + journal.postponed > 0 && { progress: JSON.stringify(withoutBodies(journal)) }),
        };
    return this.#untilSettled(async () => {
      const finishedOn = Date.now();
      const value = JSON.stringify(returnValue);
      // BullMQ's key array is shared between calls: the arguments are a copy of it, made and sent without a wait between.
      const args = this.moveToFinishedArgs(
        job,
        value,
        'returnvalue',
        removeOnComplete,
        'completed',
        token,
        finishedOn,
        fetchNext,
        fields,
      );
      return { result: await this.moveToFinished(job.id ?? '', args), finishedOn };
    });
  }

  /** Lets the next retry or postponement of this job carry its journal. */
  carry(jobId: string, token: string, journal: Journal): void {
    this.#journals.set(`${token} ${jobId}`, journal);
  }

  override async moveToDelayed(
    jobId: string,
    timestamp: number,
    delay: number,
    token = '0',
    opts: NonNullable<Parameters<RedisQueueBackend['moveToDelayed']>[4]> = {},
  ): Promise<void | unknown[]> {
    const key = `${token} ${jobId}`;
    const journal = this.#journals.get(key);
    const fieldsToUpdate = journal
      ? { ...opts.fieldsToUpdate, progress: JSON.stringify(journal) }
      : opts.fieldsToUpdate;
    try {
      const next = await this.#untilSettled(() =>
        super.moveToDelayed(jobId, timestamp, delay, token, { ...opts, ...(fieldsToUpdate && { fieldsToUpdate }) }),
      );
      this.#journals.delete(key);
      return next;
    } catch (error) {
      // After a connection error BullMQ calls again, and the journal is still to be carried.
      if (isNotConnectionError(error as Error)) this.#journals.delete(key);
      throw error;
    }
  }

  /**
   * The one gate through which every failing job goes, also those that BullMQ fails without running our code.
   * @throws what BullMQ throws for a lost lock; nothing is written then
   */
  override async moveToFailed(
    job: MinimalJob,
    failedReason: string,
    removeOnFail: Parameters<RedisQueueBackend['moveToFailed']>[2],
    token: string,
    fetchNext: boolean,
    fieldsToUpdate: Fields = {},
  ): Promise<Finished> {
    const delivery = this.deliveries.get(job);
    if (delivery) return this.#deliverAfterAll(job, delivery, token, fetchNext);
    // A tombstone that somebody moved back into the queue: its letter stands already.
    if (asTombstone(job.data) || !this.letterOf) {
      return super.moveToFailed(job, failedReason, removeOnFail, token, fetchNext, fieldsToUpdate);
    }
    const letter = this.letterOf(job, failedReason);
    const { generation } = letter.journal;
    for (let next = generation; next < generation + MAX_LETTERS_OF_A_WRITE; next++) {
      const id = letterId(letter.jobId, next);
      const filed = await this.#untilSettled(() =>
        this.#file(job, { ...letter, id }, failedReason, token, fetchNext, fieldsToUpdate),
      );
      if (filed) return filed;
    }
    throw new WaybillError(
      'LETTER_EXISTS',
      `${MAX_LETTERS_OF_A_WRITE} dead letters of job ${job.id} exist already; it was left as it is`,
    );
  }

  /** @returns undefined when a letter stands under this id; nothing is written then */
  async #file(
    job: MinimalJob,
    letter: DeadLetter,
    failedReason: string,
    token: string,
    fetchNext: boolean,
    fieldsToUpdate: Fields,
  ): Promise<Finished | undefined> {
    const client = await this.scriptClient();
    const letterArgs = await this.letterArgs(client, letter);
    const fields = { ...fieldsToUpdate, data: JSON.stringify(deadTombstone(letter.write, letter.id)), progress: '0' };
    const finishedOn = letter.deadAt;
    // `false`: kept until its letter leaves, whatever a plain producer asked for.
    const finish = this.moveToFinishedArgs(
      job,
      failedReason,
      'failedReason',
      false,
      'failed',
      token,
      finishedOn,
      fetchNext,
      fields,
    );
    const finishKeys = this.moveToFinishedKeys.length;
    const letterKeys = letterArgs.length - 3;
    const rows = rowKeys(this.destination);
    const result: unknown = await this.run(client, DEAD_LETTER, [
      ...finish.slice(0, finishKeys),
      ...letterArgs.slice(0, letterKeys),
      `${prefixOf(this.destination)}:${deadQueueName(this.destination)}:${letter.id}`,
      rows.byTime,
      rows.byRequestId,
      ...finish.slice(finishKeys),
      ...letterArgs.slice(letterKeys),
      token,
      letter.id,
      finishedOn,
      ...requestIdsOf(letter.journal),
    ]);
    if (result === LETTER_EXISTS) return undefined;
    if (typeof result === 'number' && result < 0) {
      throw this.finishedErrors({ code: result, jobId: job.id ?? '', command: 'moveToFinished', state: 'active' });
    }
    await this.#mend(result);
    return { result: raw2NextJobData(result as unknown[]), finishedOn };
  }

  /**
   * BullMQ refused to complete a write that is delivered: a plain producer made it the parent of a flow, and a child
   * is open or failed. A write waits for nobody; sending it again would be worse.
   */
  async #deliverAfterAll(job: MinimalJob, delivery: Delivery, token: string, fetchNext: boolean): Promise<Finished> {
    const client = await this.client;
    const key = this.toKey(job.id ?? '');
    await client.del(`${key}:dependencies`, `${key}:unsuccessful`);
    return this.moveToCompleted(job, delivery, undefined as unknown as boolean, token, fetchNext);
  }

  override async moveStalledJobsToWait(): Promise<string[]> {
    const client = await this.scriptClient();
    return (await this.run(client, MOVE_STALLED, this.moveStalledJobsToWaitArgs())) as string[];
  }

  /** When the first start of a job that left no record began, epoch ms; one read, for such jobs only. */
  async lostAt(jobId: string): Promise<number | undefined> {
    const client = (await this.client) as unknown as Redis;
    const at = await client.hget(this.toKey(jobId), LOST_AT_FIELD);
    return at === null ? undefined : Number(at);
  }

  /** A corrupt job would throw inside BullMQ's fetch, which would fetch it again for ever. */
  override execCommand(client: RedisClient, commandName: string, args: unknown[]): unknown {
    const reply: unknown = super.execCommand(client, commandName, args);
    if (!FETCHING.has(commandName) || !(reply instanceof Promise)) return reply;
    return reply.then(
      async (result: unknown) => {
        await this.#mend(result);
        return result;
      },
      async (error: unknown) => {
        // BullMQ asks again at once: at maxmemory that was 6,311 errors in 4 s (FACTS).
        if (commandName === 'moveToActive') await setTimeout(REFUSED_FETCH_PAUSE_MS);
        throw error;
      },
    );
  }

  /** The same for a job that is looked at. */
  override async getJobData(jobId: string): Promise<JobJson | undefined> {
    try {
      const json = await super.getJobData(jobId);
      return json && parseable(json);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      const hash = Object.entries(await (await this.client).hgetall(this.toKey(jobId))).flat();
      mendHash(hash);
      return parseable((raw2NextJobData([hash, jobId]) as [JobJson])[0]);
    }
  }

  /** Mends the job that a reply brings, in the reply and, so that no script meets it, in Redis. */
  async #mend(reply: unknown): Promise<void> {
    if (!Array.isArray(reply)) return;
    const mended = Object.entries(mendHash(reply[0]));
    if (mended.length === 0) return;
    const client = (await this.client) as unknown as Redis;
    const key = this.toKey(String(reply[1]));
    for (const [field, value] of mended) {
      if (field === 'parent') await client.hdel(key, 'parent', 'parentKey');
      else await client.hset(key, field, value);
    }
  }

  /**
   * Settles while Redis is failing over or out of memory: what is known about a write must not be forgotten, and
   * sending it again would be the alternative. Ends with the lock, after which another worker has it.
   */
  async #untilSettled<T>(settle: () => Promise<T>): Promise<T> {
    const lockMs = (this.queue.opts as { lockDuration?: number }).lockDuration ?? 0;
    const until = Date.now() + lockMs / 2;
    for (;;) {
      try {
        return await settle();
      } catch (error) {
        if (!isAway(error) || Date.now() > until) throw error;
        await setTimeout(SETTLE_AGAIN_MS);
      }
    }
  }
}
