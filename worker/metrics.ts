// The metrics: what is counted, under which names and labels. They cost no command in Redis but at a scrape, and nothing
// that goes wrong here decides about a write.
import type { Attributes, BatchObservableResult, Meter, MeterProvider } from '@opentelemetry/api';
import { DEAD_REASONS, type DeadReason } from '../core/decide.ts';
import type { Attempt } from '../core/journal.ts';
import type { Depth } from '../queue/depth.ts';
import type { ConsumerHealth } from '../queue/watch.ts';
import { within } from '../queue/within.ts';

/** What happens at one destination. */
export interface WriteMetrics {
  attempted(entry: Attempt): void;
  delivered(sinceAddMs: number): void;
  dead(reason: DeadReason): void;
  queueError(): void;
  consumerRenewed(): void;
}

/** What is read when the metrics are. */
export interface Readings {
  consumers(): readonly ConsumerHealth[];
  /** False while the clock of this worker holds it: it fetches nothing then. */
  clockAgrees(): boolean;
  /** May fail, or take for ever, while Redis is away. */
  depth(destination: string): Promise<Depth>;
}

export interface Metrics {
  of(destination: string): WriteMetrics;
  /** Reads no more: a meter provider of the application's lives on. */
  close(): void;
}

const METER = 'waybill';
const DEPTH_STATES = ['waiting', 'active', 'delayed', 'delivered', 'dead'] as const;

/** A code is upstream text: another shape, and what comes after so many of a destination, is `other`. */
const CODE = /^[A-Za-z0-9_.-]{1,64}$/;
export const MAX_CODES = 100;
/** Every series that one destination can have in one instrument: codes by disposition are the most. */
export const MAX_SERIES = (MAX_CODES + 1) * 8;

const ATTEMPT_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120];
const DELIVERY_BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];

/** Several scrapers at once, or a hasty one, read Redis once. */
const DEPTH_FRESH_MS = 1000;
const DEPTH_WITHIN_MS = 2000;

export function createMetrics(
  providers: readonly MeterProvider[],
  destinations: readonly string[],
  readings: Readings,
): Metrics {
  const meters = providers.map((provider) => provider.getMeter(METER));
  const all = meters.map(instrumentsOf);
  const depths = freshDepths(destinations, (destination) => readings.depth(destination));
  const unobserve = all.map(({ observed, ...gauges }, i) => {
    const observe = async (result: BatchObservableResult): Promise<void> => {
      const clockAgrees = readings.clockAgrees();
      for (const { destination, inFlight, state } of readings.consumers()) {
        result.observe(gauges.inFlight, inFlight, { destination });
        result.observe(gauges.consuming, Number(clockAgrees && state === 'consuming'), { destination });
      }
      const known = await depths();
      result.observe(gauges.redisUp, Number(known !== undefined));
      for (const destination of destinations) {
        // What is not known must not go on standing there as it last was.
        const depth = known?.get(destination);
        for (const state of DEPTH_STATES) {
          result.observe(gauges.depth, depth?.[state] ?? Number.NaN, { destination, state });
        }
        result.observe(gauges.oldest, (depth?.oldestWaitingMs ?? Number.NaN) / 1000, { destination });
      }
    };
    meters[i]?.addBatchObservableCallback(observe, observed);
    return () => meters[i]?.removeBatchObservableCallback(observe, observed);
  });
  const each = (record: (to: Instruments) => void): void => {
    for (const instruments of all) {
      try {
        record(instruments);
      } catch {
        // An application's meter provider that throws must not decide about a write.
      }
    }
  };

  return {
    of: (destination) => {
      const here = { destination };
      const codes = new Set<string>();
      // A counter looks its labels up at every add: once for all that one turn of the event loop counts.
      const turn = new Map<string, { labels: Attributes; count: number }>();
      const addTurn = (): void => {
        each((to) => {
          for (const { labels, count } of turn.values()) to.attempts.add(count, labels);
        });
        turn.clear();
      };
      each((to) => {
        // A counter that is not there until it first counts hides its first count from rate().
        for (const counter of [to.delivered, to.queueErrors, to.renewed]) counter.add(0, here);
        for (const reason of DEAD_REASONS) to.dead.add(0, { destination, reason });
      });
      return {
        attempted: ({ outcome, disposition, durationMs, status, code = `HTTP_${status}` }) => {
          const label = bounded(code, codes);
          const key = `${outcome} ${disposition} ${label}`;
          const counted = turn.get(key);
          if (counted) counted.count += 1;
          else {
            if (turn.size === 0) setImmediate(addTurn);
            turn.set(key, { labels: { destination, outcome, code: label, disposition }, count: 1 });
          }
          each((to) => to.duration.record(durationMs / 1000, { destination, outcome }));
        },
        delivered: (sinceAddMs) =>
          each((to) => {
            to.delivered.add(1, here);
            to.sinceAdd.record(Math.max(0, sinceAddMs) / 1000, here);
          }),
        dead: (reason) => each((to) => to.dead.add(1, { destination, reason })),
        queueError: () => each((to) => to.queueErrors.add(1, here)),
        consumerRenewed: () => each((to) => to.renewed.add(1, here)),
      };
    },
    close: () => unobserve.forEach((stop) => stop()),
  };
}

type Instruments = ReturnType<typeof instrumentsOf>;

function instrumentsOf(meter: Meter) {
  const gauge = (name: string, description: string, unit?: string) =>
    meter.createObservableGauge(`waybill_${name}`, { description, ...(unit && { unit }) });
  const counter = (name: string, description: string) => meter.createCounter(`waybill_${name}`, { description });
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(`waybill_${name}`, { description, unit: 's', advice: { explicitBucketBoundaries } });
  const gauges = {
    inFlight: gauge('in_flight', 'Writes that this worker is sending or settling'),
    consuming: gauge(
      'consuming',
      '1 while this worker takes writes of the destination, 0 while it is stalled or stuck, or its clock differs',
    ),
    redisUp: gauge('redis_up', '1 when Redis answered this scrape'),
    depth: gauge('queue_depth', 'Writes of the destination by state, as every worker sees them'),
    oldest: gauge('oldest_waiting_seconds', 'Since the oldest waiting write at either end of the line was added', 's'),
  };
  return {
    ...gauges,
    observed: Object.values(gauges),
    attempts: counter('attempts', 'Attempts by outcome, code and disposition'),
    delivered: counter('delivered', 'Writes that the API answered with a 2xx'),
    dead: counter('dead', 'Writes that became dead letters, by reason'),
    queueErrors: counter('queue_errors', 'Errors of the queue: Redis away or refusing, a lock lost'),
    renewed: counter('consumers_renewed', 'Consumers that fetched nothing for too long and were started afresh'),
    duration: seconds('attempt_duration_seconds', 'How long an attempt took, connecting included', ATTEMPT_BUCKETS_S),
    sinceAdd: seconds(
      'add_to_delivered_seconds',
      'From add() to the 2xx, waits and delays included',
      DELIVERY_BUCKETS_S,
    ),
  };
}

function bounded(code: string, known: Set<string>): string {
  if (known.has(code)) return code;
  if (!CODE.test(code) || known.size >= MAX_CODES) return 'other';
  known.add(code);
  return code;
}

/** @returns a way to read them that gives undefined when Redis does not answer in time */
function freshDepths(
  destinations: readonly string[],
  read: Readings['depth'],
): () => Promise<Map<string, Depth> | undefined> {
  let readAt = -Infinity;
  let reading: Promise<Map<string, Depth> | undefined> = Promise.resolve(undefined);
  const readAll = async (): Promise<Map<string, Depth> | undefined> => {
    const rows = Promise.all(destinations.map(async (name) => [name, await read(name)] as const));
    const known = await within(DEPTH_WITHIN_MS, rows).catch(() => undefined);
    return known && new Map(known);
  };
  return () => {
    const now = performance.now();
    if (now - readAt < DEPTH_FRESH_MS) return reading;
    readAt = now;
    reading = readAll();
    return reading;
  };
}
