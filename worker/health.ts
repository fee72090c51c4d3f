// A worker's health: the watch over its consumers, the metrics, and the port where both are read. It is listening before
// anything else is started, so that a port in use leaves nothing behind.
import type { MeterProvider } from '@opentelemetry/api';
import type { Config } from '../core/config.ts';
import type { Clock } from '../queue/clock.ts';
import type { Connection } from '../queue/connection.ts';
import type { Consumer } from '../queue/consumer.ts';
import { readDepth } from '../queue/depth.ts';
import { answerOf, type RedisAnswer, type Watch, watchConsumers, type WatchNews } from '../queue/watch.ts';
import { type HealthAnswer, type HealthServer, serveHealth } from './health-server.ts';
import type { WorkerLog } from './log.ts';
import { createMetrics, type WriteMetrics } from './metrics.ts';
import { createScrape } from './scrape.ts';

export interface Health {
  /** Missing when none was asked for. */
  readonly port?: number;
  /** Missing when nobody reads metrics. */
  metricsOf(destination: string): WriteMetrics | undefined;
  started(connection: Connection, consumers: readonly Consumer[], clock?: Pick<Clock, 'agrees'>): void;
  /** Not ready from now on. */
  stopping(): void;
  close(): Promise<void>;
}

export interface HealthOptions {
  config: Config['health'];
  destinations: readonly string[];
  log: WorkerLog;
  /** The application's own. */
  metrics?: MeterProvider | undefined;
}

const ANSWER_WITHIN_MS = 1000;
/** Probes of many kinds ask Redis once. */
const ANSWER_FRESH_MS = 1000;

/** @throws WaybillError INVALID_CONFIG when the port cannot be had */
export async function startHealth({ config, destinations, log, metrics: own }: HealthOptions): Promise<Health> {
  let state: 'starting' | 'started' | 'stopping' = 'starting';
  let connection: Connection | undefined;
  let watch: Watch | undefined;
  let clock: Pick<Clock, 'agrees'> | undefined;
  let askedAt = -Infinity;
  let asked: Promise<RedisAnswer> = Promise.resolve('is silent');

  const redisAnswer = (): Promise<RedisAnswer> => {
    if (connection && performance.now() - askedAt >= ANSWER_FRESH_MS) {
      askedAt = performance.now();
      asked = answerOf(connection, ANSWER_WITHIN_MS);
    }
    return asked;
  };
  const clockAgrees = (): boolean => clock?.agrees() ?? true;
  const perDestination = (): Record<string, unknown> =>
    Object.fromEntries(
      (watch?.consumers() ?? []).map(({ destination, state: doing, idleMs, inFlight }) => [
        destination,
        { state: doing, fetchedMsAgo: idleMs, inFlight },
      ]),
    );
  const live = (): HealthAnswer => {
    const ok = (watch?.consumers() ?? []).every((consumer) => consumer.state === 'consuming');
    return { ok, body: { live: ok, destinations: perDestination() } };
  };
  const ready = async (): Promise<HealthAnswer> => {
    const redis = await redisAnswer();
    const agrees = clockAgrees();
    const ok = state === 'started' && redis === 'answers' && agrees;
    const body = { ready: ok, worker: state, redis, clock: agrees ? 'agrees' : 'differs' };
    return { ok, body: { ...body, destinations: perDestination() } };
  };

  const scrape = config.port === undefined ? undefined : await createScrape(destinations.length);
  const providers = [own, scrape?.provider].filter((provider) => provider !== undefined);
  const metrics = createMetrics(providers, destinations, {
    consumers: () => watch?.consumers() ?? [],
    clockAgrees,
    depth: async (destination) => {
      if (connection?.client.status !== 'ready') throw new Error('Redis is away');
      return readDepth(connection.client, destination);
    },
  });
  const { host, port } = config;
  let server: HealthServer | undefined;
  const close = async (): Promise<void> => {
    metrics.close();
    await server?.close();
    await scrape?.close();
  };
  try {
    if (scrape && port !== undefined) server = await serveHealth({ host, port }, { live, ready, metrics: scrape.text });
  } catch (error) {
    // The application's meter provider lives on.
    await close();
    throw error;
  }
  const ofDestination = new Map(
    providers.length === 0 ? [] : destinations.map((destination) => [destination, metrics.of(destination)]),
  );

  const tell = (news: WatchNews): void => {
    if (news.kind === 'renewed') ofDestination.get(news.destination)?.consumerRenewed();
    report(log, news);
  };
  return {
    ...(server && { port: server.port }),
    metricsOf: (destination) => ofDestination.get(destination),
    started: (to, consumers, by) => {
      connection = to;
      clock = by;
      watch = watchConsumers({ connection: to, consumers, fetchWithinMs: config.fetchWithinMs, tell });
      state = 'started';
    },
    stopping: () => {
      state = 'stopping';
      watch?.stop();
    },
    close,
  };
}

function report(log: WorkerLog, news: WatchNews): void {
  switch (news.kind) {
    case 'renewed':
      return log.warn(
        { destination: news.destination, idle_ms: news.idleMs },
        'fetched nothing for too long; its consumer is started afresh',
      );
    case 'stuck':
      return log.error(
        { destination: news.destination, idle_ms: news.idleMs },
        'every slot is taken by a write that should have ended; this worker needs a restart',
      );
    case 'consuming':
      return log.info({ destination: news.destination }, 'fetches again');
    case 'reconnected':
      return log.warn('Redis gave no answer on an open connection; it is opened anew');
  }
}
