// createWorker: takes writes off the queues of its destinations and sends them. The public entry `waybill/worker`.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { MeterProvider } from '@opentelemetry/api';
import type { DestinationStream } from 'pino';
import { type Config, type ConfigInput, policyOf, resolveConfig, retentionOf } from '../core/config.ts';
import { redactor } from '../core/redact.ts';
import { watchClock } from '../queue/clock.ts';
import { connect, type Connection, type ConnectionInput, disconnect, WORKER_OPTIONS } from '../queue/connection.ts';
import { consume } from '../queue/consumer.ts';
import { checkFitness } from '../queue/fitness.ts';
import { recordMinute } from '../queue/minutes.ts';
import { register } from '../queue/registry.ts';
import type { OnSettled } from '../queue/teller.ts';
import { startHealth } from './health.ts';
import { createLog, throttled, type WorkerLog } from './log.ts';
import { keepMinutes, type MinuteFigures } from './minutes.ts';
import { processWrite } from './process.ts';
import type { Target } from './request.ts';
import { readCredentials } from './secrets.ts';
import { createSender } from './sender.ts';
import { type Lane, stopLanes } from './stop.ts';

export { defineConfig, type Config, type ConfigInput } from '../core/config.ts';
export { WaybillError, type WaybillErrorCode } from '../core/errors.ts';
export type { Ending } from '../queue/ending.ts';
export type { OnSettled } from '../queue/teller.ts';

export interface WorkerOptions {
  /** In place of config.redis. A client of your own needs maxRetriesPerRequest: null. */
  connection?: ConnectionInput;
  /** Where the credentials named by `auth.env` come from; process.env when left out. */
  env?: Record<string, string | undefined>;
  /** Where log lines go; standard output when left out. */
  logTo?: DestinationStream;
  /** Stands in journals and log lines; host name, process id and 4 random characters when left out. */
  name?: string;
  /** Only these destinations of the configuration. */
  destinations?: readonly string[];
  /**
   * Called after each write that this worker settles as delivered or dead, at least once: what a crash, a slow hook or
   * one that throws left untold is told again after `worker.lockMs`, by any worker that has the hook. So it must stand
   * being told twice. It has `worker.lockMs` to return or resolve; writes do not wait for it.
   */
  onSettled?: OnSettled;
  /** Where the worker's metrics go besides its own /metrics: the meter provider of an application. */
  metrics?: MeterProvider;
}

export interface RunningWorker {
  readonly name: string;
  readonly destinations: readonly string[];
  readonly log: WorkerLog;
  /** The longest that stop() waits for attempts in flight, ms. */
  readonly graceMs: number;
  /** Where /livez, /readyz and /metrics are served; missing without `health.port`. */
  readonly healthPort?: number;
  /**
   * Takes no more writes and lets those in flight reach their own deadline; they are settled, nothing is sent twice.
   * After graceMs, or when `force` is aborted, attempts in flight are cut off and their writes are taken again
   * without losing an attempt.
   */
  stop(force?: AbortSignal): Promise<{ forced: boolean }>;
}

/** Past the longest attempt, for settling. */
const GRACE_MARGIN_MS = 5000;

/**
 * Starts a worker for every destination of a configuration.
 * @throws WaybillError INVALID_CONFIG · QUEUE_UNAVAILABLE when Redis is not reached within 5 s · REDIS_UNFIT when it
 *   must not be used
 */
export async function createWorker(input: ConfigInput | Config, options: WorkerOptions = {}): Promise<RunningWorker> {
  const config = resolveConfig(input);
  const targets = readCredentials(config, options.destinations, options.env ?? process.env);
  const names = targets.map((target) => target.name);
  const name = options.name ?? `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const log = createLog(config.log.level, { worker: name }, options.logTo);
  const health = await startHealth({ config: config.health, destinations: names, log, metrics: options.metrics });
  let connection: Connection | undefined;
  try {
    connection = connect(options.connection ?? config.redis, WORKER_OPTIONS);
    const { warnings } = await checkFitness(connection);
    for (const warning of warnings) log.warn(warning);
    const { client } = connection;
    await Promise.all(names.map((destination) => register(client, destination)));
  } catch (error) {
    if (connection) await disconnect(connection);
    await health.close();
    throw error;
  }
  const { client } = connection;

  const clock = watchClock(connection, (news) => {
    if (news.kind === 'agrees') log.info('this clock agrees with that of Redis again');
    else
      log.error({ ahead_ms: news.aheadMs }, 'this clock differs from that of Redis: nothing is taken until it agrees');
  });
  const redact = redactor(secretsOf(targets, connection));
  const lanes = targets.map((target): Lane & { minutes: MinuteFigures } => {
    const sender = createSender(target, redact, log);
    const metrics = health.metricsOf(target.name);
    const queueError = throttled((err, heldBack) =>
      log.warn({ destination: target.name, err, ...(heldBack > 0 && { held_back: heldBack }) }, 'queue error'),
    );
    const minutes = keepMinutes({
      record: (at, counts) => recordMinute(client, target.name, at, counts),
      isReachable: () => client.status === 'ready',
      onError: queueError,
    });
    const processing = {
      destination: target.name,
      policy: policyOf(target.config, config.worker),
      workerName: name,
      log,
      send: sender.send,
      metrics,
      minutes,
    };
    const consumer = consume({
      destination: target.name,
      client,
      workerName: name,
      concurrency: target.config.concurrency,
      maxAttempts: target.config.retry.maxAttempts,
      lockMs: config.worker.lockMs,
      stalledIntervalMs: config.worker.stalledIntervalMs,
      timeoutMs: target.config.timeoutMs,
      fetchWithinMs: config.health.fetchWithinMs,
      retention: { ...retentionOf(target.config), keyTtlMs: target.config.idempotency.ttlMs },
      retentionIntervalMs: config.worker.retentionIntervalMs,
      clock,
      handle: (taken) => processWrite(taken, processing),
      onFiled: ({ id, jobId, reason, verdict, because }) => {
        metrics?.dead(reason);
        minutes.dead();
        log.error(
          { destination: target.name, job_id: jobId, letter: id, reason, verdict, because },
          'dead without an attempt',
        );
      },
      ...(options.onSettled && { onSettled: options.onSettled }),
      onTrimmed: (trims) =>
        log.warn({ destination: target.name, trimmed: trims.open }, 'dead letters went by age or count, unhandled'),
      onError: (error) => {
        metrics?.queueError();
        queueError(error);
      },
    });
    return { consumer, sender, minutes };
  });
  const graceMs =
    config.worker.graceMs ?? Math.max(...targets.map((target) => target.config.timeoutMs)) + GRACE_MARGIN_MS;

  health.started(
    connection,
    lanes.map(({ consumer }) => consumer),
    clock,
  );
  // On the next turn of the event loop: whoever waits for the line can stop the worker by then.
  const port = health.port === undefined ? {} : { health_port: health.port };
  setImmediate(() => log.info({ destinations: names, redis: connection.label, ...port }, 'worker started'));
  return {
    name,
    destinations: names,
    log,
    graceMs,
    ...(health.port !== undefined && { healthPort: health.port }),
    stop: async (force) => {
      health.stopping();
      log.info({ grace_ms: graceMs }, 'worker stopping');
      const stopped = await stopLanes(lanes, graceMs, force);
      clock.stop();
      await Promise.all(lanes.map(({ minutes }) => minutes.close()));
      await disconnect(connection);
      await health.close();
      log.info(stopped, 'worker stopped');
      return stopped;
    },
  };
}

/** What must never be stored or logged, even when an API echoes it. */
function secretsOf(targets: readonly Target[], { client }: Connection): string[] {
  const redis = client.options as {
    password?: unknown;
    sentinelPassword?: unknown;
    redisOptions?: { password?: unknown };
  };
  const credentials = targets.flatMap(({ credential, config }) => [
    credential,
    credential?.slice(config.auth?.prefix.length ?? 0),
  ]);
  return [...credentials, redis.password, redis.sentinelPassword, redis.redisOptions?.password].filter(
    (value) => typeof value === 'string',
  );
}
