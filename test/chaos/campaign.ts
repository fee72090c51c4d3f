// One campaign: a Redis of its own, the sandbox as the oracle that nobody kills, workers in processes that are, a ledger of
// what was added, and a load that keeps writes in flight while a fault is injected. Then the faults stop, and it is judged.
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../core/config.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../dev/testing.ts';
import type { PrivateRedis } from '../../dev/redis/start.ts';
import { createQueue, type WriteQueue } from '../../producer/index.ts';
import { Reader } from '../../queue/reader.ts';
import { type Chance, chance } from './chance.ts';
import { type Child, startChild } from './child.ts';
import { type Loss, type LossWindow, policyOf } from './evidence.ts';
import { makeFolder, removeFolder } from './folder.ts';
import { Ledger } from './ledger.ts';
import { type Load, type LoadOptions, startLoad } from './load.ts';
import { DeathWatch } from './orphans.ts';
import { asUser, REDIS_PASSWORD, startRedis } from './redis-server.ts';

type DestinationInput = NonNullable<ConfigInput['destinations']>[string];

export const DESTINATION = 'orders';
export const LOCK_MS = 1000;
export const STALLED_MS = 1000;
const STOP_LIMIT_MS = 60_000;
export const API_KEYS = Array.from({ length: 16 }, (_, i) => `chaos-credential-${String(i).padStart(2, '0')}-5e1f`);
const WORKER_CHILD = fileURLToPath(new URL('worker-child.ts', import.meta.url));
const USUAL_CHILD = fileURLToPath(new URL('../support/usual-worker-child.ts', import.meta.url));
const CACHE = join(tmpdir(), 'waybill-chaos-compiled');

export interface CampaignOptions {
  /** `everysec` when left out. */
  appendFsync?: 'always' | 'everysec';
  /** Further arguments of redis-server. */
  redisArgs?: readonly string[];
  sandbox?: Omit<SandboxOptions, 'apiKey'>;
  destination?: Partial<DestinationInput>;
  worker?: NonNullable<ConfigInput['worker']>;
  /** Workers that a campaign begins with; 3 when left out. */
  workers?: number;
  /** The negative control: the worker that everybody writes, in the place of ours. */
  usual?: boolean;
  /** How far apart the clocks are that journals are written by, ms. */
  clocksDifferMs?: number;
  /** Something between the workers and the API breaks answers off, holds them back or swallows them. */
  answersBreak?: boolean;
  /** Redis goes away, or something before it breaks replies off: a write may have been handed out, and nobody knows. */
  repliesBreak?: boolean;
  /** In place of a Redis of its own: the workers' and the producer's, such as a Cluster's. */
  redis?: { settings: NonNullable<ConfigInput['redis']>; folder: string };
}

export interface WorkerOptions {
  /** In place of the campaign's Redis, such as a proxy before it. */
  redisUrl?: string;
  /** In place of the sandbox's address. */
  baseUrl?: string;
  /** It serves its metrics. */
  health?: boolean;
  /** In place of worker-child.ts. */
  file?: string;
  env?: Record<string, string>;
  execArgv?: readonly string[];
}

/** A worker and the API key by which the oracle knows it. */
export interface ChaosWorker extends Child {
  readonly slot: number;
  /** As the journal and BullMQ know it. */
  readonly name: string;
  /** Epoch ms before its process began. */
  readonly startedAt: number;
}

export class Campaign {
  readonly seed: number;
  readonly chance: Chance;
  readonly ledger = new Ledger();
  readonly options: CampaignOptions;
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** Every worker that is not known to be dead. */
  readonly workers = new Set<ChaosWorker>();
  readonly poison = new Set<string>();
  /** Figures beside the invariants, for the table. */
  readonly figures: Record<string, number | string> = {};
  /** Workers that died, or were frozen past their lock. */
  readonly losses: Loss[] = [];
  /** When Redis lost, or may have lost, what it had been given. */
  readonly lossWindows: LossWindow[] = [];
  readonly deaths = new DeathWatch();
  /** Epoch ms. */
  readonly startedAt = Date.now();
  /** Promises that were broken on the way to the end. */
  readonly broken: string[] = [];
  redis: PrivateRedis | undefined;
  queue: WriteQueue;
  reader: Reader;
  readonly loads: Load[] = [];
  readonly #ends: (() => Promise<unknown> | void)[] = [];
  /** Taken before a worker is started, so that several may be at once. */
  readonly #slots = new Set<number>();
  #started = 0;

  private constructor(seed: number, options: CampaignOptions, parts: Pick<Campaign, 'folder' | 'sandbox' | 'redis'>) {
    this.seed = seed;
    this.chance = chance(seed);
    this.options = options;
    this.folder = parts.folder;
    this.sandbox = parts.sandbox;
    this.redis = parts.redis;
    this.queue = createQueue(DESTINATION, { connection: this.redisSettings });
    this.reader = undefined as unknown as Reader;
  }

  static async start(seed: number, options: CampaignOptions = {}): Promise<Campaign> {
    const folder = await makeFolder();
    const opened: (() => Promise<unknown>)[] = [];
    try {
      const redis = options.redis ? undefined : await startRedis(folder, options);
      if (redis) opened.push(() => redis.stop());
      const sandbox = await createSandbox({ apiKey: API_KEYS, latencyMs: 2, seed, ...options.sandbox });
      opened.push(() => sandbox.close());
      const campaign = new Campaign(seed, options, { folder, sandbox, redis });
      opened.splice(0, opened.length, () => campaign.close());
      campaign.reader = await Reader.open(campaign.redisSettings);
      for (let i = 0; i < (options.workers ?? 3); i += 1) await campaign.startWorker();
      return campaign;
    } catch (error) {
      for (const close of opened.toReversed()) await close().catch(() => {});
      throw error;
    }
  }

  get redisSettings(): NonNullable<ConfigInput['redis']> {
    return this.options.redis?.settings ?? { url: asUser(this.redis?.url ?? ''), password: REDIS_PASSWORD };
  }

  /** What every worker is given. */
  config({ redisUrl, baseUrl, health }: WorkerOptions = {}): ConfigInput {
    return {
      redis: redisUrl === undefined ? this.redisSettings : { url: asUser(redisUrl), password: REDIS_PASSWORD },
      worker: { lockMs: LOCK_MS, stalledIntervalMs: STALLED_MS, maxCrashes: 5, ...this.options.worker },
      log: { level: 'info' },
      ...(health && { health: { port: 0 } }),
      destinations: {
        [DESTINATION]: {
          baseUrl: baseUrl ?? this.sandbox.url,
          auth: { header: 'x-api-key', env: 'CHAOS_API_KEY' },
          timeoutMs: 1000,
          concurrency: 20,
          retry: { baseMs: 20, capMs: 160 },
          ...this.options.destination,
        },
      },
    };
  }

  async startWorker(options: WorkerOptions = {}): Promise<ChaosWorker> {
    const slot = API_KEYS.findIndex((_, i) => !this.#slots.has(i));
    if (slot < 0) throw new Error(`${API_KEYS.length} workers at once are the most`);
    this.#slots.add(slot);
    const startedAt = Date.now();
    this.#started += 1;
    const name = `worker-${this.#started}`;
    const child = await startChild(
      options.file ?? (this.options.usual ? USUAL_CHILD : WORKER_CHILD),
      {
        env: {
          CHAOS_CONFIG: JSON.stringify(this.config(options)),
          CHAOS_NAME: name,
          CHAOS_API_KEY: API_KEYS[slot] ?? '',
          ...(this.options.usual && { WORKER_CONFIG: this.#usualConfig(API_KEYS[slot] ?? '', options) }),
          ...options.env,
        },
        logFile: join(this.folder, 'workers.log'),
        ...(options.execArgv && { execArgv: options.execArgv }),
      },
      CACHE,
    ).catch((error: unknown) => {
      this.#slots.delete(slot);
      throw error;
    });
    const worker: ChaosWorker = Object.defineProperties(
      { slot, name, startedAt } as ChaosWorker,
      Object.getOwnPropertyDescriptors(child),
    );
    this.workers.add(worker);
    void worker.exited.then(() => {
      this.workers.delete(worker);
      this.#slots.delete(slot);
    });
    return worker;
  }

  #usualConfig(apiKey: string, { redisUrl, baseUrl }: WorkerOptions): string {
    return JSON.stringify({
      url: redisUrl ?? this.redis?.url,
      queueName: DESTINATION,
      api: baseUrl ?? this.sandbox.url,
      apiKey,
      lockMs: LOCK_MS,
      stalledIntervalMs: STALLED_MS,
      retry: policyOf(this.config(), this.config().destinations?.[DESTINATION] ?? {}),
    });
  }

  /** A worker died, or is frozen past its lock. @param at epoch ms */
  lost(slot: number, at = Date.now(), isDead = false): void {
    this.losses.push({ slot, at, isDead });
  }

  /** Every worker may lose its locks, since Redis is away or out of reach. */
  allLost(at = Date.now()): void {
    for (const { slot } of this.workers) this.lost(slot, at);
  }

  /** What was acknowledged between may be gone, in epoch ms. @param keepsWrites what producers added stays all the same */
  mayLoseBetween(from: number, until: number, keepsWrites = false): void {
    this.lossWindows.push({ from, until, keepsWrites });
  }

  /** Any other process that is to be killed; the campaign's end is its end at the latest. */
  async startProcess(file: string, env: Record<string, string>): Promise<Child> {
    const child = await startChild(file, { env, logFile: join(this.folder, 'processes.log') }, CACHE);
    this.defer(() => child.kill('SIGKILL'));
    return child;
  }

  /** kill -9. @param replace starts another in its place */
  async killWorker(worker: ChaosWorker, replace = true): Promise<void> {
    worker.kill('SIGKILL');
    await worker.exited;
    this.lost(worker.slot, Date.now(), true);
    this.workers.delete(worker);
    // Where nobody comes in its place, harm may have hold of the others too.
    this.deaths.watch(this, worker.name, replace && this.workers.size > 0);
    if (!replace) return;
    await this.startWorker();
  }

  /** Keeps so many writes waiting or under way until it is stopped. */
  load(options: LoadOptions): Load {
    // That it takes "still in progress" for a rejection is no kill's work.
    const all = { ...options, ...(this.options.usual && { without: 'in-progress' }) };
    const load = startLoad(this.queue, this.ledger, this.chance.fork(`load ${this.loads.length}`), all);
    this.loads.push(load);
    return load;
  }

  /** At the end, in the reverse order. */
  defer(end: () => Promise<unknown> | void): void {
    this.#ends.push(end);
  }

  /** Writes that have not ended. */
  async open(): Promise<number> {
    const counts = await this.queue.getJobCounts('wait', 'active', 'delayed', 'prioritized');
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** SIGTERM; whoever has not ended within a minute is killed, and that is a broken promise. */
  async stopWorkers(): Promise<void> {
    const stopping = [...this.workers];
    for (const worker of stopping) worker.kill('SIGTERM');
    const ended = (async () => {
      await Promise.all(stopping.map(({ exited }) => exited));
      return true;
    })();
    const limit = new AbortController();
    const inTime = await Promise.race([ended, sleep(STOP_LIMIT_MS, false, { signal: limit.signal })]);
    limit.abort();
    if (inTime) return;
    const left = stopping.filter(({ alive }) => alive);
    this.broken.push(`${left.length} workers had not ended ${STOP_LIMIT_MS} ms after SIGTERM`);
    for (const worker of left) worker.kill('SIGKILL');
    await ended;
  }

  /** The lines that workers logged. */
  async logLines(): Promise<string[]> {
    return (await readFile(join(this.folder, 'workers.log'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  }

  /** @param keepFolder for whoever looks into what went wrong */
  async close({ keepFolder = false } = {}): Promise<void> {
    for (const load of this.loads) await load.stop().catch(() => {});
    for (const worker of this.workers) {
      worker.kill('SIGCONT');
      worker.kill('SIGKILL');
    }
    await Promise.all([...this.workers].map(({ exited }) => exited));
    for (const end of this.#ends.toReversed()) await end();
    await this.queue.close().catch(() => {});
    // Opened after the queue, and not at all where that failed.
    await (this.reader as Reader | undefined)?.close().catch(() => {});
    await this.sandbox.close();
    await this.redis?.stop();
    await removeFolder(this.folder, keepFolder);
  }
}
