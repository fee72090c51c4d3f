// The fetching half of our BullMQ backend: a corrupt job must not stop those behind it, a Redis that refuses must not
// be asked without a pause, and a start that left no record leaves its time.
import { setTimeout } from 'node:timers/promises';
import { type JobJson, raw2NextJobData } from 'bullmq';
import type { Redis } from 'ioredis';
import { ActingBackend } from './acting-backend.ts';
import type { RedisClient } from './adding-backend.ts';
import { deadQueueName, letterId, LOST_AT_FIELD, prefixOf } from './keys.ts';
import { mendHash, parseable } from './mend.ts';
import { MOVE_STALLED } from './scripts/stalled.ts';
import { returnValueOf } from './tombstone.ts';

/** Commands whose reply may bring the next job's hash. */
const FETCHING = new Set(['moveToActive', 'moveToFinished']);
/** How BullMQ's isFinished tells of a completed job. */
const COMPLETED = 1;
/** Before the next fetch after Redis refused one. */
const REFUSED_FETCH_PAUSE_MS = 500;

export class FetchingBackend extends ActingBackend {
  override async moveStalledJobsToWait(): Promise<string[]> {
    const client = await this.scriptClient();
    return (await this.run(client, MOVE_STALLED, this.moveStalledJobsToWaitArgs())) as string[];
  }

  /**
   * When the first start of a job that left no record began, epoch ms; one read, for such jobs only.
   * @param takenAt when the asking start began; once the job was taken again the field may be another generation's
   */
  async lostAt(jobId: string, takenAt?: number): Promise<number | undefined> {
    const client = (await this.client) as unknown as Redis;
    const [at, startedAt] = await client.hmget(this.toKey(jobId), LOST_AT_FIELD, 'processedOn');
    return typeof at === 'string' && Number(startedAt) === takenAt ? Number(at) : undefined;
  }

  /** How many dead letters a write has left: of the generation that begins then. */
  async lettersOf(jobId: string): Promise<number> {
    const client = (await this.client) as unknown as Redis;
    const dead = `${prefixOf(this.destination)}:${deadQueueName(this.destination)}:`;
    for (let generation = 0; ; generation++) {
      if ((await client.exists(dead + letterId(jobId, generation))) === 0) return generation;
    }
  }

  /** An error on this way would make BullMQ's close() go on without the writes in flight, and forget their results. */
  override async disconnectBlocking(wait?: boolean): Promise<void> {
    await super.disconnectBlocking(wait).catch(() => {});
  }

  /** A corrupt job would throw inside BullMQ's fetch, which would fetch it again for ever. */
  override execCommand(client: RedisClient, commandName: string, args: unknown[]): unknown {
    const reply: unknown = super.execCommand(client, commandName, args);
    if (!FETCHING.has(commandName) || !(reply instanceof Promise)) return reply;
    return reply.then(
      async (result: unknown) => {
        await this.mend(result);
        return result;
      },
      async (error: unknown) => {
        // BullMQ asks again at once: 6,311 errors in 4 s were measured on a Redis that was full.
        if (commandName === 'moveToActive') await setTimeout(REFUSED_FETCH_PAUSE_MS);
        throw error;
      },
    );
  }

  /** A job that is looked at: the same, and a delivered write's return value, which is not kept twice. */
  override async getJobData(jobId: string): Promise<JobJson | undefined> {
    const json = await this.#readJob(jobId);
    return json && { ...json, returnvalue: json.returnvalue ?? returnValueOf(json.data) };
  }

  /** For Job.waitUntilFinished. */
  override async isFinished(jobId: string, returnValue = false): Promise<number | [number, string]> {
    const reply = (await super.isFinished(jobId, returnValue)) as number | [number, string | null];
    if (!Array.isArray(reply)) return reply;
    const [status, value] = reply;
    return [status, value ?? (status === COMPLETED ? ((await this.getJobData(jobId))?.returnvalue ?? 'null') : '')];
  }

  async #readJob(jobId: string): Promise<JobJson | undefined> {
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
  protected mend(reply: unknown): Promise<void> | undefined {
    if (!Array.isArray(reply)) return undefined;
    const mended = Object.entries(mendHash(reply[0]));
    return mended.length === 0 ? undefined : this.#mendStored(mended, String(reply[1]));
  }

  async #mendStored(mended: [field: string, value: string][], jobId: string): Promise<void> {
    const client = (await this.client) as unknown as Redis;
    const key = this.toKey(jobId);
    for (const [field, value] of mended) {
      if (field === 'parent') await client.hdel(key, 'parent', 'parentKey');
      else await client.hset(key, field, value);
    }
  }
}
