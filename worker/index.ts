// createWorker: takes writes off the queues of its destinations and sends them. The public entry `waybill/worker`.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { DestinationStream } from 'pino';
import { type Config, type ConfigInput, policyOf, resolveConfig } from '../core/config.ts';
import { SHUTDOWN } from '../core/outcome.ts';
import { redactor } from '../core/redact.ts';
import { connect, type ConnectionInput, disconnect, WORKER_OPTIONS } from '../queue/connection.ts';
import { consume } from '../queue/consumer.ts';
import { checkFitness } from '../queue/fitness.ts';
import { register } from '../queue/registry.ts';
import type { Taken } from '../queue/take.ts';
import { attempt } from './attempt.ts';
import { createLog, throttled, type WorkerLog } from './log.ts';
import { createPool } from './pool.ts';
import { processWrite } from './process.ts';
import { type Target, toRequest } from './request.ts';
import { readCredentials } from './secrets.ts';

export { defineConfig, type Config, type ConfigInput } from '../core/config.ts';
export { WaybillError, type WaybillErrorCode } from '../core/errors.ts';

export interface WorkerOptions {
  /** In place of config.redis.url. */
  connection?: ConnectionInput;
  /** Where the credentials named by `auth.env` come from; process.env when left out. */
  env?: Record<string, string | undefined>;
  /** Where log lines go; standard output when left out. */
  logTo?: DestinationStream;
  /** Stands in journals and log lines; host name, process id and 4 random characters when left out. */
  name?: string;
  /** Only these destinations of the configuration. */
  destinations?: readonly string[];
}

export interface RunningWorker {
  readonly name: string;
  readonly destinations: readonly string[];
  readonly log: WorkerLog;
  /** The longest that stop() waits for attempts in flight, ms. */
  readonly graceMs: number;
  /**
   * Takes no more writes and lets those in flight reach their own deadline; they are settled, nothing is sent twice.
   * After graceMs, or when `force` is aborted, attempts in flight are cut off and their writes are taken again
   * without losing an attempt.
   */
  stop(force?: AbortSignal): Promise<{ forced: boolean }>;
}

/** Past the longest attempt, for settling. */
const GRACE_MARGIN_MS = 5000;
/** After attempts were cut off, how long settling them may take before connections are dropped. */
const FORCED_SETTLE_MS = 3000;

/**
 * Starts a worker for every destination of a configuration.
 * @throws WaybillError INVALID_CONFIG · QUEUE_UNAVAILABLE when Redis is not reached within 5 s · REDIS_UNFIT when it
 *   must not be used
 */
export async function createWorker(input: ConfigInput | Config, options: WorkerOptions = {}): Promise<RunningWorker> {
  const config = resolveConfig(input);
  const targets = readCredentials(config, options.destinations, options.env ?? process.env);
  const name = options.name ?? `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const log = createLog(config.log.level, { worker: name }, options.logTo);
  const connection = connect(options.connection ?? config.redis.url, WORKER_OPTIONS);
  try {
    const { warnings } = await checkFitness(connection);
    for (const warning of warnings) log.warn(warning);
    for (const target of targets) await register(connection.client, target.name);
  } catch (error) {
    await disconnect(connection);
    throw error;
  }

  const redact = redactor(secretsOf(targets, connection.client.options));
  const cutOffs = new Set<(code: string) => void>();
  const running = targets.map((target) => start(target));
  

  function start(target: Target) {
    const pool = createPool(target.config);
    const policy = policyOf(target.config, config.worker);
    const send = async (taken: Taken) => {
      if (!taken.write) throw new Error('no write to send');
      const request = toRequest(taken.write, target);
      if ('kind' in request) return request;
      let cutOff: ((code: string) => void) | undefined;
      try {
        return await attempt(pool, request, {
          deadlineMs: target.config.timeoutMs,
          replayedHeader: target.config.idempotency.replayedHeader,
          redact,
          onStart: (abort) => cutOffs.add((cutOff = abort)),
        });
      } finally {
        if (cutOff) cutOffs.delete(cutOff);
      }
    };
    const consumer = consume({
      destination: target.name,
      client: connection.client,
      workerName: name,
      concurrency: target.config.concurrency,
      maxAttempts: target.config.retry.maxAttempts,
      lockMs: config.worker.lockMs,
      stalledIntervalMs: config.worker.stalledIntervalMs,
      keepDeliveredMs: target.config.idempotency.ttlMs,
      handle: (taken) => processWrite(taken, { destination: target.name, policy, workerName: name, log, send }),
      onError: throttled((err, heldBack) =>
        log.warn({ destination: target.name, err, ...(heldBack > 0 && { held_back: heldBack }) }, 'queue error'),
      ),
    });
    return { consumer, pool };
  }

  const longestAttemptMs = Math.max(0, ...targets.map((target) => target.config.timeoutMs));
  const graceMs = config.worker.graceMs ?? longestAttemptMs + GRACE_MARGIN_MS;

  async function stop(force?: AbortSignal): Promise<{ forced: boolean }> {
    let forced = false;
    log.info({ grace_ms: graceMs }, 'worker stopping');
    const cutOffAll = (): void => {
      forced = true;
      for (const cutOff of cutOffs) cutOff(SHUTDOWN);
    };
    const drained = Promise.all(running.map(({ consumer }) => consumer.close()));
    const grace = setTimeout(cutOffAll, graceMs);
    let dropped: NodeJS.Timeout | undefined;
    const lastResort = new Promise<void>((resolve) => {
      dropped = setTimeout(resolve, graceMs + FORCED_SETTLE_MS);
      force?.addEventListener('abort', () => {
        cutOffAll();
        dropped = setTimeout(resolve, FORCED_SETTLE_MS);
      });
    });
    if (force?.aborted) cutOffAll();
    const settled = await Promise.race([drained.then(() => true), lastResort.then(() => false)]);
    if (!settled) for (const { consumer } of running) consumer.drop();
    clearTimeout(grace);
    clearTimeout(dropped);
    await Promise.all(running.map(({ pool }) => pool.destroy().catch(() => {})));
    await disconnect(connection);
    log.info({ forced }, 'worker stopped');
    return { forced };
  }

  const names = targets.map((target) => target.name);
  // On the next turn of the event loop: the caller has its worker, to stop it, by the time the line is read.
  setImmediate(() => log.info({ destinations: names }, 'worker started'));
  return { name, destinations: names, log, graceMs, stop };
}

function secretsOf(targets: readonly Target[], redisOptions: object): string[] {
  const { password, redisOptions: inner } = redisOptions as {
    password?: unknown;
    redisOptions?: { password?: unknown };
  };
  const values = [
    ...targets.flatMap(({ credential, config }) => [credential, credential?.slice(config.auth?.prefix.length ?? 0)]),
    password,
    inner?.password,
  ];
  return values.filter((value): value is string => typeof value === 'string');
}
