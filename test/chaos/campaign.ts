// One campaign: a Redis of its own, the sandbox as the oracle that nobody kills, workers in processes that are, a ledger of
// what was added, and a load that keeps writes in flight while a fault is injected. Then the faults stop, and it is judged.
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../core/config.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../dev/testing.ts';
import type { PrivateRedis } from '../../dev/redis/start.ts';
import { createQueue, type WriteQueue } from '../../producer/index.ts';
import { Reader } from '../../queue/reader.ts';
import { type Chance, chance } from './chance.ts';
import { type Child, startChild } from './child.ts';
import { readEnds, readUsualEnds } from './ends.ts';
import { judge, type Judgement, judgeSecrets, look, type Measured } from './judge.ts';
import { Ledger } from './ledger.ts';
import { type Load, startLoad } from './load.ts';
import { startRedis } from './redis-server.ts';
import { until } from './until.ts';

type DestinationInput = NonNullable<ConfigInput['destinations']>[string];

export const DESTINATION = 'orders';
export const LOCK_MS = 1000;
const STALLED_MS = 1000;
/** I9: what a dead worker held is taken back within this. */
const NOTICED_MS = 2 * STALLED_MS + LOCK_MS;
/** A machine that is busy looks later than it should. */
const NOTICED_SLACK_MS = 1000;
const DRAIN_LIMIT_MS = 180_000;
const API_KEYS = Array.from({ length: 16 }, (_, i) => `chaos-credential-${String(i).padStart(2, '0')}-5e1f`);
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
  /** What a power loss may take is counted, and is no violation. */
  mayLose?: boolean;
  /** How far apart the clocks may be that journals are written by, ms. */
  clocksDifferMs?: number;
  /** In place of a Redis of its own: the workers' and the producer's, such as a Cluster's. */
  redis?: { settings: NonNullable<ConfigInput['redis']>; folder: string };
}

export interface WorkerOptions {
  /** In place of the campaign's Redis, such as a proxy before it. */
  redisUrl?: string;
  /** In place of the sandbox's address. */
  baseUrl?: string;
  /** In place of worker-child.ts. */
  file?: string;
  env?: Record<string, string>;
  execArgv?: readonly string[];
}

/** A worker and the API key by which the oracle knows it. */
export interface ChaosWorker extends Child {
  readonly slot: number;
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
  /** Workers that died, or were frozen past their lock, so far. */
  losses = 0;
  redis: PrivateRedis | undefined;
  queue: WriteQueue;
  reader: Reader;
  readonly #loads: Load[] = [];
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
    const folder = await mkdtemp(join(tmpdir(), 'waybill-chaos-'));
    const forget = (): void => rmSync(folder, { recursive: true, force: true });
    // However it ends; Redis ends in the same way.
    process.once('exit', forget);
    const redis = options.redis ? undefined : await startRedis(folder, options);
    const sandbox = await createSandbox({ apiKey: API_KEYS, latencyMs: 2, seed, ...options.sandbox });
    const campaign = new Campaign(seed, options, { folder, sandbox, redis });
    campaign.defer(() => void process.off('exit', forget));
    campaign.reader = await Reader.open(campaign.redisSettings);
    for (let i = 0; i < (options.workers ?? 3); i += 1) await campaign.startWorker();
    return campaign;
  }

  get redisSettings(): NonNullable<ConfigInput['redis']> {
    return this.options.redis?.settings ?? { url: this.redis?.url ?? '' };
  }

  /** What every worker is given. */
  config({ redisUrl, baseUrl }: WorkerOptions = {}): ConfigInput {
    return {
      redis: redisUrl === undefined ? this.redisSettings : { url: redisUrl },
      worker: { lockMs: LOCK_MS, stalledIntervalMs: STALLED_MS, maxCrashes: 5, ...this.options.worker },
      log: { level: 'info' },
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
      { slot, startedAt } as ChaosWorker,
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
    });
  }

  /** Any other process that is to be killed; the campaign's end is its end at the latest. */
  async startProcess(file: string, env: Record<string, string>): Promise<Child> {
    const child = await startChild(file, { env, logFile: join(this.folder, 'processes.log') }, CACHE);
    this.defer(() => child.kill('SIGKILL'));
    return child;
  }

  /** kill -9. @param replace starts another in its place */
  async killWorker(worker: ChaosWorker, replace = true): Promise<void> {
    this.losses += 1;
    worker.kill('SIGKILL');
    await worker.exited;
    this.workers.delete(worker);
    if (replace) await this.startWorker();
  }

  /** Keeps so many writes waiting or under way until it is stopped. */
  load(options: { backlog: number; total?: number }): Load {
    const load = startLoad(this.queue, this.ledger, this.chance.fork(`load ${this.#loads.length}`), options);
    this.#loads.push(load);
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

  /** Stops the load, waits until every write has ended, and judges. The faults have stopped by now. */
  async finish(): Promise<{
    judgement: Judgement;
    measured: Measured;
    writes: number;
    sends: number;
    endings: Record<string, number>;
  }> {
    for (const load of this.#loads) await load.stop();
    if (this.workers.size === 0) await this.startWorker();
    const slowestMs = await this.#orphans();
    const began = performance.now();
    await until('every write has ended', async () => (await this.open()) === 0, DRAIN_LIMIT_MS, 50).catch(() => {
      this.figures['not drained'] = 'yes';
    });
    this.figures['drained s'] = Math.round((performance.now() - began) / 100) / 10;
    // Those that are closing have settled all they had.
    await this.stopWorkers();

    const keys = [...this.ledger.entries()].map(({ key }) => key);
    const ends = await (this.options.usual ? readUsualEnds : readEnds)(this.reader, DESTINATION);
    const seenKeys = Object.keys(this.sandbox.ledger().keys);
    const destination = this.config().destinations?.[DESTINATION];
    const { judgement, measured } = judge({
      ledger: this.ledger,
      sends: (key) => this.sandbox.entry(key),
      seenKeys,
      ends,
      policy: {
        baseMs: destination?.retry?.baseMs ?? 1000,
        capMs: destination?.retry?.capMs ?? 30_000,
        jitter: destination?.retry?.jitter ?? 0.2,
        maxCrashes: this.config().worker?.maxCrashes ?? 5,
        clocksDifferMs: this.options.clocksDifferMs ?? 0,
      },
      poison: this.poison,
      losses: this.losses,
      mayLose: this.options.mayLose ?? false,
    });
    look(judgement, 'I9', slowestMs <= NOTICED_MS + NOTICED_SLACK_MS, () => `held for ${Math.round(slowestMs)} ms`);
    this.figures['orphans taken back ms'] = Math.round(slowestMs);
    for (const folder of [this.folder, ...(this.options.redis ? [this.options.redis.folder] : [])])
      await judgeSecrets(judgement, folder, API_KEYS);
    const endings: Record<string, number> = {};
    let sends = 0;
    for (const key of keys) {
      const place = ends.of(key).places.join('+') || 'nowhere';
      endings[place] = (endings[place] ?? 0) + 1;
      sends += this.sandbox.entry(key)?.sends.length ?? 0;
    }
    return { judgement, measured, writes: keys.length, sends, endings };
  }

  async stopWorkers(): Promise<void> {
    const stopping = [...this.workers];
    for (const worker of stopping) worker.kill('SIGTERM');
    await Promise.all(stopping.map(({ exited }) => exited));
  }

  /** How long the writes that were active when the faults stopped stayed in the start that they were in, ms. */
  async #orphans(): Promise<number> {
    const began = performance.now();
    const { client } = this.reader;
    const queue = this.reader.queue(DESTINATION);
    const startsOf = async (ids: readonly string[]): Promise<(string | null)[]> =>
      Promise.all(ids.map((id) => client.hget(queue.toKey(id), 'ats')));
    const ids = await client.lrange(queue.toKey('active'), 0, -1);
    const before = await startsOf(ids);
    let held = ids.map((id, i) => ({ id, starts: before[i] }));
    await until(
      'what dead workers held is taken back',
      async () => {
        const active = new Set(await client.lrange(queue.toKey('active'), 0, -1));
        const starts = await startsOf(held.map(({ id }) => id));
        held = held.filter(({ id, starts: was }, i) => active.has(id) && starts[i] === was);
        return held.length === 0;
      },
      30_000,
      25,
    ).catch(() => {});
    return performance.now() - began;
  }

  /** The lines that workers logged. */
  async logLines(): Promise<string[]> {
    return (await readFile(join(this.folder, 'workers.log'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  }

  async close(): Promise<void> {
    for (const load of this.#loads) await load.stop();
    for (const worker of this.workers) {
      worker.kill('SIGCONT');
      worker.kill('SIGKILL');
    }
    await Promise.all([...this.workers].map(({ exited }) => exited));
    for (const end of this.#ends.toReversed()) await end();
    await this.queue.close().catch(() => {});
    await this.reader.close().catch(() => {});
    await this.sandbox.close();
    await this.redis?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The files of the campaign, for whoever looks into a failure. */
  files(): Promise<string[]> {
    return readdir(this.folder);
  }
}
