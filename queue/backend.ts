// The settling half of our BullMQ backend: the gates through which every write leaves.
//  moveToCompleted  a delivered write leaves its body behind, and
//  moveToDelayed    a retry carries the journal and its lookup row: one script for all that leave together
//  moveToFailed     everything that BullMQ fails is filed as a dead letter, one script
import { setTimeout } from 'node:timers/promises';
import { isNotConnectionError, type MinimalJob, raw2NextJobData, type RedisQueueBackend } from 'bullmq';
import { WaybillError } from '../core/errors.ts';
import { type Journal, readJournal, withoutBodies } from '../core/journal.ts';
import type { Write } from '../core/write.ts';
import { FetchingBackend } from './fetching-backend.ts';
import { type Ending, endingOfDead, endingOfDelivered } from './ending.ts';
import { LeavingTogether } from './leaving.ts';
import { deadQueueName, letterId, prefixOf, rowKeys, unsaidKey } from './keys.ts';
import { classOf } from './letter-class.ts';
import { type DeadLetter, requestIdsOf } from './letter.ts';
import { DEAD_LETTER, LETTER_EXISTS } from './scripts/dead-letter.ts';
import { CLAIM } from './scripts/claim.ts';
import { FINISH_KEYS, SETTLE } from './scripts/settle.ts';
import type { TakenJob } from './taken-job.ts';
import { asTombstone, deadTombstone, deliveredTombstone, headOf } from './tombstone.ts';
import { isAway } from './unavailable.ts';
import type { Delivery } from './delivery.ts';

type Fields = Record<string, unknown>;

/** Field after field, of those that have a value. */
const flatJson = (fields: Fields): string =>
  JSON.stringify(Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field, value])));

const flag = (is: boolean): string => (is ? '1' : '0');
type Finished = { result: void | unknown[]; finishedOn: number };

/** A journal on its way to be stored, and its lookup rows: the newest request_id, and one that is kept no more. */
interface Carried {
  journal: Journal;
  requestId: string;
  forgotten: string;
}

/** A settled write is settled again while Redis is failing over or out of memory; its lock lives half a lock time at least. */
const SETTLE_AGAIN_MS = 250;
/** A letter may stand under a write's first id when an operator removed the write and it was added again. */
const MAX_LETTERS_OF_A_WRITE = 100;

/** A journal that says more than the delivery does. */
const tellsMore = ({ attempts, postponed, generation, doubtBefore }: Journal): boolean =>
  attempts.length + postponed + generation > 0 || doubtBefore !== undefined;

export class WaybillBackend extends FetchingBackend {
  /** Makes the dead letter of a job that BullMQ fails; set by the consumer. */
  letterOf: ((job: MinimalJob, failedReason: string, now: number) => DeadLetter) | undefined;
  /** Told of each dead letter after it was filed; set by the consumer. */
  onFiled: ((job: MinimalJob, letter: DeadLetter) => void) | undefined;
  /** Told of each write after it was settled, where a worker has the onSettled hook; set by the consumer. */
  tell: ((id: string, ending: Ending) => void) | undefined;
  /** How far this machine's clock is ahead of that of Redis, past what is allowed; set by the consumer. */
  clockAheadMs: () => number | Promise<number> = () => 0;
  /** What is to be stored with a retry. BullMQ passes only id and token, and a token goes from job to job. */
  readonly #carried = new Map<string, Carried>();

  /** A delivered write keeps its answer and its key; headers and body go, in the same step. */
  override async moveToCompleted(
    job: MinimalJob,
    returnValue: unknown,
    _removeOnComplete: unknown,
    token: string,
    fetchNext: boolean,
  ): Promise<Finished> {
    const id = job.id ?? '';
    const journal = readJournal(job.progress);
    // What was moved back into the queue by hand goes to where it was, and has been told of.
    const told = asTombstone(job.data);
    const tombstone = deliveredTombstone(job.data as Write, returnValue as Delivery);
    const noted = this.tell !== undefined && told === undefined;
    const ahead = this.clockAheadMs();
    const aheadMs = typeof ahead === 'number' ? ahead : await ahead;
    return this.#untilSettled(async () => {
      // Retention reckons from it what is past its age.
      const finishedOn = Date.now() - aheadMs;
      const reply = await this.#leaving.settle('deliver', [
        id,
        token,
        String(finishedOn),
        flag(fetchNext && !this.queue.closing),
        flag(noted),
        headOf(told ?? tombstone),
        JSON.stringify(returnValue),
        tellsMore(journal) ? JSON.stringify(withoutBodies(journal)) : '',
      ]);
      const result = await this.#next(reply, id, 'moveToFinished');
      if (noted) this.tell?.(id, endingOfDelivered(this.destination, id, tombstone, journal));
      return { result, finishedOn };
    });
  }

  readonly #leaving = new LeavingTogether(async (args) => {
    const client = await this.scriptClient();
    const { keys, opts } = this.queue;
    const { name, lockDuration } = opts as { name?: string; lockDuration?: number };
    // No job's key: each is behind the prefix.
    const ofNoJob = [keys.completed, keys[''], this.queue.toKey('metrics:completed'), keys.marker];
    const finishKeys = [...this.moveToFinishedKeys.slice(0, FINISH_KEYS - ofNoJob.length), ...ofNoJob];
    const ours = [unsaidKey(this.destination), rowKeys(this.destination).byRequestId];
    return (await client.runCommand(SETTLE.name, [...finishKeys, ...ours, name, lockDuration, ...args])) as unknown[];
  });

  /** The next write that a settled one brings. @throws what BullMQ throws for a refusal */
  #next(reply: unknown, jobId: string, command: string): unknown[] | Promise<unknown[]> {
    if (typeof reply === 'number' && reply < 0)
      throw this.finishedErrors({ code: reply, jobId, command, state: 'active' });
    const mending = this.mend(reply);
    return mending ? mending.then(() => raw2NextJobData(reply as unknown[])) : raw2NextJobData(reply as unknown[]);
  }

  /** Writes that were settled, or claimed, before a time and that the hook was not told of; they are claimed now. */
  async claimUntold(before: number, count: number, now: number): Promise<string[]> {
    return (await this.run(await this.scriptClient(), CLAIM, [
      unsaidKey(this.destination),
      before,
      count,
      now,
    ])) as string[];
  }

  /**
   * Lets the next retry or postponement of this job carry its journal.
   * @param before the journal without the attempt that is to be recorded
   */
  carry(jobId: string, token: string, journal: Journal, before: Journal): void {
    const newest = journal.postponed > before.postponed ? journal.lastPostponed : journal.attempts.at(-1);
    this.#carried.set(`${token} ${jobId}`, {
      journal,
      requestId: newest?.requestId ?? '',
      // Of the postponed attempts only the newest is kept.
      forgotten: journal.postponed > before.postponed ? (before.lastPostponed?.requestId ?? '') : '',
    });
  }

  override async moveToDelayed(
    jobId: string,
    timestamp: number,
    delay: number,
    token = '0',
    opts: NonNullable<Parameters<RedisQueueBackend['moveToDelayed']>[4]> = {},
  ): Promise<void | unknown[]> {
    const key = `${token} ${jobId}`;
    const carried = this.#carried.get(key);
    try {
      // A retry is due by the clock of everybody else.
      const now = timestamp - (await this.clockAheadMs());
      const next = await this.#untilSettled(async () => {
        const reply = await this.#leaving.settle('retry', [
          jobId,
          token,
          String(now),
          flag(opts.fetchNext === true && !this.queue.closing),
          String(delay),
          flag(opts.skipAttempt === true),
          carried ? JSON.stringify(carried.journal) : '',
          // With a journal BullMQ's reason and stack trace say nothing more.
          carried || !opts.fieldsToUpdate ? '' : flatJson(opts.fieldsToUpdate),
          carried?.requestId ?? '',
          carried?.forgotten ?? '',
        ]);
        return this.#next(reply, jobId, 'moveToDelayed');
      });
      this.#carried.delete(key);
      return next;
    } catch (error) {
      // After a connection error BullMQ calls again, and the journal is still to be carried.
      if (isNotConnectionError(error as Error)) this.#carried.delete(key);
      throw error;
    }
  }

  /**
   * BullMQ fails a job here or nowhere, whether our code ran for it or not: so no death goes by unfiled.
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
    const { delivery } = job as Partial<TakenJob>;
    // What kept a delivered write from being finished must not make it a failed one.
    if (delivery) return this.moveToCompleted(job, delivery, false, token, fetchNext);
    // A tombstone that somebody moved back into the queue: its letter stands already.
    if (asTombstone(job.data) || !this.letterOf) {
      return super.moveToFailed(job, failedReason, removeOnFail, token, fetchNext, fieldsToUpdate);
    }
    const letter = this.letterOf(job, failedReason, Date.now() - (await this.clockAheadMs()));
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
    const fields = { ...fieldsToUpdate, data: JSON.stringify(deadTombstone(letter.id)), progress: '0' };
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
    const letterClass = classOf(letter);
    const result: unknown = await this.run(client, DEAD_LETTER, [
      ...finish.slice(0, finishKeys),
      ...letterArgs.slice(0, letterKeys),
      `${prefixOf(this.destination)}:${deadQueueName(this.destination)}:${letter.id}`,
      rows.byTime,
      rows.byRequestId,
      unsaidKey(this.destination),
      rows.classes,
      ...finish.slice(finishKeys),
      ...letterArgs.slice(letterKeys),
      token,
      letter.id,
      finishedOn,
      this.tell !== undefined,
      letterClass.id,
      letterClass.facets,
      ...requestIdsOf(letter.journal),
    ]);
    if (result === LETTER_EXISTS) return undefined;
    const next = await this.#next(result, job.id ?? '', 'moveToFinished');
    this.tell?.(letter.id, endingOfDead({ ...letter, state: 'open' }));
    this.onFiled?.(job, letter);
    return { result: next, finishedOn };
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
