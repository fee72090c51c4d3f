// What the programs of people read through, and act through: states, dead letters, counts. It changes nothing by itself.
import { Queue, type Job } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { backendFactory } from './backend-factory.ts';
import { connect, type Connection, type ConnectionInput, disconnect, PRODUCER_OPTIONS } from './connection.ts';
import { prefixOf } from './keys.ts';
import { destinations } from './registry.ts';
import { answerWithin, unreachable } from './unavailable.ts';
import { WaybillError } from '../core/errors.ts';

const REACH_WITHIN_MS = 5000;

/** One connection, and BullMQ's getters for every queue that is looked at. */
export class Reader {
  readonly #connection: Connection;
  readonly #queues = new Map<string, Queue>();

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws WaybillError QUEUE_UNAVAILABLE when Redis is not reached within 5 s */
  static async open(input: ConnectionInput): Promise<Reader> {
    // Offline commands wait: a reader is a person's, who would rather wait a moment than ask again.
    const connection = connect(input, {
      ...PRODUCER_OPTIONS,
      enableOfflineQueue: true,
      maxRetriesPerRequest: 3,
      commandTimeout: REACH_WITHIN_MS,
    });
    try {
      await answerWithin(REACH_WITHIN_MS, connection, () => connection.client.ping());
    } catch (error) {
      await disconnect(connection);
      throw unreachable(connection.label, error);
    }
    return new Reader(connection);
  }

  /** For messages; holds no password. */
  get label(): string {
    return this.#connection.label;
  }

  get client(): Redis | Cluster {
    return this.#connection.client;
  }

  /** Redis' clock, epoch ms: an operator's own may be off, and the life of a key is counted by it. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.client.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  /** All destinations, or the one that is asked for. @throws WaybillError NOT_FOUND when that one was never used */
  async destinations(only?: string): Promise<string[]> {
    const all = await destinations(this.client);
    if (only === undefined) return all;
    if (all.includes(only)) return [only];
    throw new WaybillError(
      'NOT_FOUND',
      `no destination ${JSON.stringify(only)}; there are ${all.join(', ') || 'none yet'}`,
    );
  }

  /** BullMQ's view of a destination's queue, or of its dead letters' queue. */
  queue(destination: string, name = destination): Queue {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = new Queue(
        name,
        { connection: this.client, prefix: prefixOf(destination), skipMetasUpdate: true },
        backendFactory(this.client, true),
      );
      queue.on('error', () => {});
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** A job as it stands, also one whose data is not JSON. */
  async job(destination: string, jobId: string): Promise<Job | undefined> {
    try {
      const job: Job | undefined = await this.queue(destination).getJob(jobId);
      return job;
    } catch (error) {
      // Ids such as `events` and `wait` are keys of the queue itself, of another type: no job stands there.
      if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
    await disconnect(this.#connection);
  }
}
