// WaybillBackend: BullMQ's own Redis backend with four gates of ours (DESIGN decision 5).
//  add…Job          compare and add under an idempotency key, one script
//  moveToCompleted  a delivered write leaves its body behind, still BullMQ's one script
//  moveToDelayed    a retry carries the journal, still BullMQ's one script
//  moveToFailed     everything that BullMQ fails is filed as a dead letter, one script
import { setTimeout } from 'node:timers/promises';
import {
  createIORedisClient,
  type JobJson,
  type MinimalJob,
  type QueueBaseOptions,
  QueueKeys,
  raw2NextJobData,
  RedisConnection,
  RedisQueueBackend,
} from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { WaybillError } from '../core/errors.ts';
import { type Journal, readJournal, withoutBodies } from '../core/journal.ts';
import { deadQueueName, destinationOf, prefixOf, rowKeys } from './keys.ts';
import { type DeadLetter, requestIdsOf } from './letter.ts';
import { ADD_SCRIPTS, type AddCommand } from './scripts/add.ts';
import type { Script } from './scripts/compose.ts';
import { DEAD_LETTER, LETTER_EXISTS } from './scripts/dead-letter.ts';
import { letterJobJson } from './letter-job.ts';
import { parseable } from './take.ts';
import { asTombstone, tombstoneOf } from './tombstone.ts';

type RedisClient = Parameters<RedisQueueBackend['execCommand']>[0];
type Fields = Record<string, unknown>;
type Finished = { result: void | unknown[]; finishedOn: number };

/** What add() was answered: a write of this key was new, there already with this payload, or with another. */
export type Added = { status: 'queued' | 'duplicate' | 'conflict'; jobId: string };

const SCRIPTS: readonly Script[] = [...Object.values(ADD_SCRIPTS), DEAD_LETTER];

/** Before the next fetch after Redis refused one. */
const REFUSED_FETCH_PAUSE_MS = 500;

/** Commands whose reply may bring the next job's hash. */
const FETCHING = new Set(['moveToActive', 'moveToFinished', 'moveToDelayed']);

export class WaybillBackend extends RedisQueueBackend {
  readonly destination: string;
  /** Payload hashes of the writes that add() is adding. */
  readonly #hashes = new WeakMap<JobJson, string>();
  /** Letters whose arguments are being collected, not sent. */
  readonly #letters = new WeakSet<JobJson>();
  /** Makes the dead letter of a job that BullMQ fails; set by the consumer. */
  letterOf: ((job: MinimalJob, failedReason: string) => DeadLetter) | undefined;
  /** The journal that a retry carries, by lock token: a token belongs to one job at a time. */
  readonly journals = new Map<string, Journal>();

  constructor(connection: RedisConnection, name: string, opts: QueueBaseOptions, blockingConnection?: RedisConnection) {
    const keys = new QueueKeys(prefixOf(destinationOf(name)));
    super(connection, name, keys.getKeys(name), (type) => keys.toKey(name, type), opts, blockingConnection);
    this.destination = destinationOf(name);
  }

  /** Compares and adds each write in one script each; one round trip for all. Errors stand in their item's place. */
  async addWrites(writes: readonly { job: JobJson; hash: string }[]): Promise<(Added | Error)[]> {
    const client = await this.#scriptClient();
    for (const { job, hash } of writes) this.#hashes.set(job, hash);
    const [only] = writes;
    if (writes.length === 1 && only) {
      return [added(await this.addJobToTransaction(client, only.job, only.job.id).catch((error: Error) => error))];
    }
    const pipeline = client.pipeline();
    for (const { job } of writes) void this.addJobToTransaction(pipeline, job, job.id);
    const replies = (await pipeline.exec()) as [Error | null, unknown][];
    return Promise.all(
      replies.map(async ([error, reply], i) => {
        const job = writes[i]?.job;
        // ioredis takes a script for loaded for a minute, also after a failover or SCRIPT FLUSH; outside a pipeline it looks.
        const flushed = error?.message.startsWith('NOSCRIPT') === true && job !== undefined;
        return added(
          flushed
            ? await this.addJobToTransaction(client, job, job.id).catch((again: Error) => again)
            : (error ?? reply),
        );
      }),
    );
  }

  protected override addStandardJob(
    ...args: Parameters<RedisQueueBackend['addStandardJob']>
  ): Promise<string | number> {
    return this.#compareAndAdd('addStandardJob', args, () => super.addStandardJob(...args));
  }

  protected override addDelayedJob(...args: Parameters<RedisQueueBackend['addDelayedJob']>): Promise<string | number> {
    return this.#compareAndAdd('addDelayedJob', args, () => super.addDelayedJob(...args));
  }

  protected override addPrioritizedJob(
    ...args: Parameters<RedisQueueBackend['addPrioritizedJob']>
  ): Promise<string | number> {
    const [, job, encodedOpts, list, keys] = args;
    if (this.#letters.has(job))
      return this.addPrioritizedJobArgs(job, encodedOpts, list, keys) as unknown as Promise<string>;
    return this.#compareAndAdd('addPrioritizedJob', args, () => super.addPrioritizedJob(...args));
  }

  /** A delivered write keeps its answer (returnvalue) and its key; headers and body go, in BullMQ's own script. */
  override async moveToCompleted(
    job: MinimalJob,
    returnValue: unknown,
    removeOnComplete: Parameters<RedisQueueBackend['moveToCompleted']>[2],
    token: string,
    fetchNext: boolean,
  ): Promise<Finished> {
    const finishedOn = Date.now();
    const write = asTombstone(job.data) ? undefined : (job.data as Parameters<typeof tombstoneOf>[0]);
    const journal = readJournal(job.progress);
    const entries = journal.attempts.length + journal.postponed;
    const fields = write && {
      data: JSON.stringify(tombstoneOf(write, 'delivered')),
      ...(entries > 0 && { progress: JSON.stringify(withoutBodies(journal)) }),
    };
    const value = JSON.stringify(returnValue);
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
  }

  override async moveToDelayed(
    jobId: string,
    timestamp: number,
    delay: number,
    token = '0',
    opts: NonNullable<Parameters<RedisQueueBackend['moveToDelayed']>[4]> = {},
  ): Promise<void | unknown[]> {
    const journal = this.journals.get(token);
    const fieldsToUpdate = journal
      ? { ...opts.fieldsToUpdate, progress: JSON.stringify(journal) }
      : opts.fieldsToUpdate;
    return super.moveToDelayed(jobId, timestamp, delay, token, { ...opts, ...(fieldsToUpdate && { fieldsToUpdate }) });
  }

  /**
   * The one gate through which every failing job goes, also those that BullMQ fails without running our code.
   * @throws WaybillError LETTER_EXISTS, and what BullMQ throws for a lost lock; nothing is written then
   */
  override async moveToFailed(
    job: MinimalJob,
    failedReason: string,
    removeOnFail: Parameters<RedisQueueBackend['moveToFailed']>[2],
    token: string,
    fetchNext: boolean,
    fieldsToUpdate: Fields = {},
  ): Promise<Finished> {
    // A tombstone that somebody moved back into the queue: its letter stands already.
    if (asTombstone(job.data) || !this.letterOf) {
      return super.moveToFailed(job, failedReason, removeOnFail, token, fetchNext, fieldsToUpdate);
    }
    const letter = this.letterOf(job, failedReason);
    const client = await this.#scriptClient();
    const finishedOn = letter.deadAt;
    const fields = {
      ...fieldsToUpdate,
      data: JSON.stringify(tombstoneOf(letter.write, 'dead', letter.id)),
      progress: '0',
    };
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
    const letterArgs = await this.#letterArgs(client, letter);
    const finishKeys = this.moveToFinishedKeys.length;
    const letterKeys = letterArgs.length - 3;
    const deadPrefix = `${prefixOf(this.destination)}:${deadQueueName(this.destination)}:`;
    const rows = rowKeys(this.destination);
    const result: unknown = await this.#run(client, DEAD_LETTER, [
      ...finish.slice(0, finishKeys),
      ...letterArgs.slice(0, letterKeys),
      deadPrefix + letter.id,
      rows.byTime,
      rows.byRequestId,
      ...finish.slice(finishKeys),
      ...letterArgs.slice(letterKeys),
      token,
      letter.id,
      finishedOn,
      ...requestIdsOf(letter.journal),
    ]);
    if (result === LETTER_EXISTS) {
      throw new WaybillError(
        'LETTER_EXISTS',
        `dead letter ${letter.id} exists already; job ${job.id} of ${this.name} was left as it is`,
      );
    }
    if (typeof result === 'number' && result < 0) {
      throw this.finishedErrors({ code: result, jobId: job.id ?? '', command: 'moveToFinished', state: 'active' });
    }
    if (Array.isArray(result)) mendHash(result[0]);
    return { result: raw2NextJobData(result as unknown[]), finishedOn };
  }

  /** Corrupt JSON in a fetched job's fields would throw inside BullMQ's fetch and loop; the field is emptied instead. */
  override execCommand(client: RedisClient, commandName: string, args: unknown[]): unknown {
    const reply: unknown = super.execCommand(client, commandName, args);
    if (!FETCHING.has(commandName) || !(reply instanceof Promise)) return reply;
    return reply.then(
      (result: unknown) => {
        if (Array.isArray(result)) mendHash(result[0]);
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
      if (!(error instanceof SyntaxError)) throw error;
      const hash = Object.entries(await (await this.client).hgetall(this.toKey(jobId))).flat();
      mendHash(hash);
      return parseable((raw2NextJobData([hash, jobId]) as [JobJson])[0]);
    }
  }

  #compareAndAdd(
    command: AddCommand,
    [client, job, encodedOpts, list, keys]: Parameters<RedisQueueBackend['addStandardJob']>,
    plain: () => Promise<string | number>,
  ): Promise<string | number> {
    const hash = this.#hashes.get(job);
    if (hash === undefined) return plain();
    const argsOf = {
      addStandardJob: () => this.addStandardJobArgs(job, encodedOpts, list, keys),
      addDelayedJob: () => this.addDelayedJobArgs(job, encodedOpts, list, keys),
      addPrioritizedJob: () => this.addPrioritizedJobArgs(job, encodedOpts, list, keys),
    };
    const args = argsOf[command]();
    args.splice(-3, 0, this.toKey(job.id));
    return this.#run(client, ADD_SCRIPTS[command], [...args, hash]) as Promise<string>;
  }

  async #letterArgs(client: RedisClient, letter: DeadLetter): Promise<(string | Buffer)[]> {
    const job = letterJobJson(letter);
    this.#letters.add(job);
    const keys = new QueueKeys(prefixOf(this.destination)).getKeys(deadQueueName(this.destination));
    return (await this.addJobToTransaction(client, job, letter.id, {}, keys)) as unknown as (string | Buffer)[];
  }

  #run(client: RedisClient, script: Script, args: unknown[]): unknown {
    // undefined, true and false are no arguments for Redis (FACTS).
    return client.runCommand(script.name, args.map(asArgument));
  }

  /** The client, with our scripts defined: a pipeline knows only those that were defined before it was made. */
  async #scriptClient(): Promise<Awaited<RedisQueueBackend['client']>> {
    const client = await this.client;
    const commands = client as unknown as Record<string, unknown> & Redis;
    for (const script of SCRIPTS) {
      if (typeof commands[script.name] !== 'function') {
        commands.defineCommand(script.name, { numberOfKeys: script.keys, lua: script.lua });
      }
    }
    return client;
  }
}

/** A backend over a client that the caller owns; a worker's blocking connection is a duplicate that the backend owns. */
export function createBackend(client: Redis | Cluster, skipVersionCheck: boolean) {
  return (name: string, opts: QueueBaseOptions, { withBlockingConnection = false } = {}): WaybillBackend => {
    const main = new RedisConnection(client, { shared: true, blocking: false, skipVersionCheck });
    if (!withBlockingConnection) return new WaybillBackend(main, name, opts);
    // The name by which BullMQ's getWorkers() finds workers in CLIENT LIST.
    const connectionName = `${prefixOf(destinationOf(name))}:${Buffer.from(name).toString('base64')}`;
    const copy = createIORedisClient(client).duplicate({ connectionName });
    return new WaybillBackend(
      main,
      name,
      opts,
      new RedisConnection(copy, { shared: false, blocking: true, skipVersionCheck: false }),
    );
  };
}

function added(reply: unknown): Added | Error {
  if (reply instanceof Error) return reply;
  const [status, jobId] = reply as [Added['status'], string];
  return { status, jobId };
}

function asArgument(value: unknown): unknown {
  if (value === undefined || value === null) return '';
  return typeof value === 'boolean' ? Number(value) : value;
}

/** A job's hash as HGETALL gives it, field after field. */
function mendHash(hash: unknown): void {
  if (!Array.isArray(hash)) return;
  for (let i = 0; i + 1 < hash.length; i += 2) {
    const field: unknown = hash[i];
    if (field === 'opts' || field === 'progress' || field === 'parent') {
      const text: unknown = hash[i + 1];
      if (!isJson(text)) hash[i + 1] = field === 'progress' ? '0' : '{}';
    }
  }
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
