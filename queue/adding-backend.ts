// The adding half of our BullMQ backend: compare and add under an idempotency key, in one script.
// It is also where every script of ours is defined and run.
import type { Writable } from 'node:stream';
import { type JobJson, type QueueBaseOptions, QueueKeys, type RedisConnection, RedisQueueBackend } from 'bullmq';
import type { ChainableCommander, Redis } from 'ioredis';
import type { WaitForReplicas } from '../core/redis-settings.ts';
import { deadQueueName, destinationOf, prefixOf, replicationKey } from './keys.ts';
import type { DeadLetter } from './letter.ts';
import { letterJobJson } from './letter-job.ts';
import { isForAnotherWay, runByHash, sendAndWait } from './replicated.ts';
import { DISCARD, REPLAY_SCRIPTS, RESTORE } from './scripts/acts.ts';
import { ADD_SCRIPTS, type AddCommand } from './scripts/add.ts';
import type { Script } from './scripts/compose.ts';
import { DEAD_LETTER } from './scripts/dead-letter.ts';
import { SCRUB, TRIM } from './scripts/retention.ts';
import { PAUSE } from './scripts/pause.ts';
import { CLAIM } from './scripts/claim.ts';
import { SETTLE } from './scripts/settle.ts';
import { MOVE_STALLED } from './scripts/stalled.ts';

export type RedisClient = Parameters<RedisQueueBackend['execCommand']>[0];
type Client = Awaited<RedisQueueBackend['client']>;

/** What add() was answered: a write of this key was new, there already with this payload, or with another. */
export type Added =
  | { status: 'queued' | 'conflict'; jobId: string }
  | { status: 'duplicate'; jobId: string; data: string; opts: string; timestamp: number };

/** A write to be added, and the hash of its payload. */
export interface Addition {
  job: JobJson;
  hash: string;
}

/** `replicas` is how many have what was answered, `waitedMs` after they were asked; an error where nobody could tell. */
export interface Replicated {
  added: Added | Error;
  replicas: number | Error;
  waitedMs: number;
}

/** What a second wait has at least, where the first has taken the time: a replica that is well answers in this. */
const SECOND_WAIT_MS = 100;

const SCRIPTS: readonly Script[] = [
  ...Object.values(ADD_SCRIPTS),
  ...Object.values(REPLAY_SCRIPTS),
  CLAIM,
  DEAD_LETTER,
  SETTLE,
  DISCARD,
  MOVE_STALLED,
  PAUSE,
  RESTORE,
  SCRUB,
  TRIM,
];

/** A script of ours around one that adds: its own keys go behind BullMQ's, its own arguments behind BullMQ's. */
export interface Wrapping {
  scripts: Record<AddCommand, Script>;
  keys: readonly string[];
  args: readonly unknown[];
}

export class AddingBackend extends RedisQueueBackend {
  readonly destination: string;
  /** Of the script that adds what may be sent at once; the job's own comes behind them. */
  readonly #addingKeys: readonly string[];
  /** How the jobs that are being added are added. */
  readonly #wrappings = new WeakMap<JobJson, Wrapping>();
  /** Letters whose arguments are being collected, not sent. */
  readonly #letters = new WeakSet<JobJson>();
  /** The client that knows our scripts. */
  #scripted: Client | undefined;

  constructor(connection: RedisConnection, name: string, opts: QueueBaseOptions, blockingConnection?: RedisConnection) {
    const keys = new QueueKeys(prefixOf(destinationOf(name)));
    super(connection, name, keys.getKeys(name), (type) => keys.toKey(name, type), opts, blockingConnection);
    this.destination = destinationOf(name);
    this.#addingKeys = ['wait', 'active', 'meta', 'events', 'marker'].map((type) => this.toKey(type));
  }

  /** Compares and adds each write in one script each; one round trip for all. Errors stand in their item's place. */
  async addWrites(writes: readonly Addition[]): Promise<(Added | Error)[]> {
    const client = await this.scriptClient();
    const addOne = async (write: Addition): Promise<unknown> => {
      try {
        return await this.#add(client, write);
      } catch (error) {
        return error;
      }
    };
    const [only] = writes;
    if (writes.length === 1 && only) return [added(await addOne(only))];
    const pipeline = client.pipeline();
    for (const write of writes) void this.#add(pipeline, write);
    const replies = (await pipeline.exec()) as [Error | null, unknown][];
    // ioredis takes a script for loaded for a minute, also after a failover or SCRIPT FLUSH; outside a pipeline it looks.
    const isFlushed = (error: Error | null): boolean => error?.message.startsWith('NOSCRIPT') === true;
    const answers: (Added | Error)[] = [];
    for (const [i, [error, reply]] of replies.entries()) {
      const write = writes[i];
      answers.push(added(write && isFlushed(error) ? await addOne(write) : (error ?? reply)));
    }
    return answers;
  }

  /**
   * The same, and how many replicas have each: one round trip, and the time that they take, `timeoutMs` at most; where a
   * script or a slot was not there two round trips more, and SECOND_WAIT_MS.
   */
  async addReplicated(writes: readonly Addition[], wait: WaitForReplicas): Promise<Replicated[]> {
    const startedAt = performance.now();
    const replicated = await this.#addAndWait(writes, wait);
    const left = [...replicated.keys()].filter((i) => isForAnotherWay(replicated[i]?.added));
    if (left.length === 0) return replicated;
    const again = left.flatMap((i) => writes[i] ?? []);
    const stored = await this.addWrites(again);
    // That went out behind the WAIT, or to another server: asked for once more they are duplicates, before a WAIT.
    const leftMs = Math.round(wait.timeoutMs - (performance.now() - startedAt));
    const timeoutMs = Math.max(leftMs, Math.min(wait.timeoutMs, SECOND_WAIT_MS));
    const confirmed = await this.#addAndWait(again, { ...wait, timeoutMs });
    for (const [n, i] of left.entries()) {
      const [first, second] = [stored[n], confirmed[n]];
      if (!first || !second) continue;
      const replicas = second.added instanceof Error ? second.added : second.replicas;
      replicated[i] = { ...second, added: first, replicas };
    }
    return replicated;
  }

  async #addAndWait(writes: readonly Addition[], wait: WaitForReplicas): Promise<Replicated[]> {
    const client = await this.scriptClient();
    const pipeline = client.pipeline() as unknown as ChainableCommander;
    const byHash = {
      runCommand: (name: string, args: unknown[]) => {
        const script = SCRIPTS.find((one) => one.name === name);
        if (script) runByHash(pipeline, script, args);
      },
    } as unknown as RedisClient;
    for (const write of writes) void this.#add(byHash, write);
    const { replies, replicas } = await sendAndWait(pipeline, replicationKey(this.destination), wait);
    const waitedMs = wait.timeoutMs;
    return writes.map((_, i) => ({ added: added(replies[i] ?? new Error('no answer')), replicas, waitedMs }));
  }

  /** @returns the script's reply, where the client is no pipeline */
  #add(client: RedisClient, { job, hash }: Addition): unknown {
    const { id, name, data, opts, timestamp } = job;
    const jobKey = this.toKey(id);
    if (opts.delay || opts.priority) {
      this.#wrappings.set(job, { scripts: ADD_SCRIPTS, keys: [jobKey], args: [hash] });
      return this.addJobToTransaction(client, job, id);
    }
    const args = [id, name, data, JSON.stringify(opts), timestamp, hash];
    return client.runCommand(ADD_SCRIPTS.addStandardJob.name, [...this.#addingKeys, jobKey, ...args]);
  }

  protected override addStandardJob(
    ...args: Parameters<RedisQueueBackend['addStandardJob']>
  ): Promise<string | number> {
    return this.#addWrapped('addStandardJob', args, () => super.addStandardJob(...args));
  }

  protected override addDelayedJob(...args: Parameters<RedisQueueBackend['addDelayedJob']>): Promise<string | number> {
    return this.#addWrapped('addDelayedJob', args, () => super.addDelayedJob(...args));
  }

  protected override addPrioritizedJob(
    ...args: Parameters<RedisQueueBackend['addPrioritizedJob']>
  ): Promise<string | number> {
    const [, job, encodedOpts, list, keys] = args;
    if (this.#letters.has(job)) {
      return this.addPrioritizedJobArgs(job, encodedOpts, list, keys) as unknown as Promise<string>;
    }
    return this.#addWrapped('addPrioritizedJob', args, () => super.addPrioritizedJob(...args));
  }

  #addWrapped(
    command: AddCommand,
    [client, job, encodedOpts, list, keys]: Parameters<RedisQueueBackend['addStandardJob']>,
    plain: () => Promise<string | number>,
  ): Promise<string | number> {
    const wrapping = this.#wrappings.get(job);
    if (!wrapping) return plain();
    const argsOf = {
      addStandardJob: () => this.addStandardJobArgs(job, encodedOpts, list, keys),
      addDelayedJob: () => this.addDelayedJobArgs(job, encodedOpts, list, keys),
      addPrioritizedJob: () => this.addPrioritizedJobArgs(job, encodedOpts, list, keys),
    };
    const args = argsOf[command]();
    args.splice(-3, 0, ...wrapping.keys);
    return this.run(client, wrapping.scripts[command], [...args, ...wrapping.args]) as Promise<string>;
  }

  /** Adds a job by a script of ours around BullMQ's. @returns what that script returns */
  protected async addWrapped(job: JobJson, wrapping: Wrapping): Promise<unknown> {
    this.#wrappings.set(job, wrapping);
    return this.addJobToTransaction(await this.scriptClient(), job, job.id);
  }

  /** The arguments with which BullMQ would add a dead letter: part of the script that settles its write. */
  protected async letterArgs(client: RedisClient, letter: DeadLetter): Promise<(string | Buffer)[]> {
    const job = letterJobJson(letter);
    this.#letters.add(job);
    const keys = new QueueKeys(prefixOf(this.destination)).getKeys(deadQueueName(this.destination));
    return (await this.addJobToTransaction(client, job, letter.id, {}, keys)) as unknown as (string | Buffer)[];
  }

  protected run(client: RedisClient, script: Script, args: unknown[]): unknown {
    leaveTogether(client as { stream?: Writable });
    // Neither undefined nor a boolean can be an argument in Redis's protocol.
    return client.runCommand(script.name, args.map(asArgument));
  }

  /** The client, with our scripts defined: a pipeline knows only those that were defined before it was made. */
  protected scriptClient(): Client | Promise<Client> {
    return this.#scripted ?? this.#defineScripts();
  }

  async #defineScripts(): Promise<Client> {
    const client = await this.client;
    const commands = client as unknown as Record<string, unknown> & Redis;
    for (const script of SCRIPTS) {
      if (typeof commands[script.name] !== 'function') {
        commands.defineCommand(script.name, { numberOfKeys: script.keys, lua: script.lua });
      }
    }
    return (this.#scripted = client);
  }
}

function added(reply: unknown): Added | Error {
  if (reply instanceof Error) return reply;
  const [status, jobId, data = '{}', opts = '{}', timestamp = '0'] = reply as [Added['status'], ...string[]];
  return status === 'duplicate'
    ? { status, jobId: jobId ?? '', data, opts, timestamp: Number(timestamp) }
    : { status, jobId: jobId ?? '' };
}

/**
 * What is sent in one turn of the event loop goes out in one system call, and comes in as one; the driver's own
 * pipelining costs more than it saves. Neither a pipeline nor a Cluster has a stream of its own.
 */
function leaveTogether({ stream }: { stream?: Writable }): void {
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

function asArgument(value: unknown): unknown {
  if (value === undefined || value === null) return '';
  return typeof value === 'boolean' ? Number(value) : value;
}
