// Fills a Redis with the story, and puts the real programs in front of it: a worker, an API that answers, the dashboard.
import { setTimeout as sleep } from 'node:timers/promises';
import { policyOf, resolveConfig } from '../../core/config.ts';
import { bucketOf } from '../../core/duration-buckets.ts';
import { type RunningDashboard, startDashboard } from '../../dashboard/index.ts';
import { createSandbox } from '../../dev/testing.ts';
import { createQueue } from '../../producer/index.ts';
import { deadQueueName, DESTINATIONS_KEY, minuteKey, prefixOf } from '../../queue/keys.ts';
import { letterJobJson } from '../../queue/letter-job.ts';
import { emptyMinute, MINUTE_MS, recordMinute } from '../../queue/minutes.ts';
import { Reader } from '../../queue/reader.ts';
import { reindex } from '../../queue/reindex.ts';
import { createWorker } from '../../worker/index.ts';
import { chanceOf, configOf, lettersOf, STORIES } from './story.ts';

const API_KEY = 'sandbox-key';
/** Of the overview: writes a minute, and the median of their durations in ms. */
const LOAD: Record<string, { perMinute: number; medianMs: number }> = {
  sms: { perMinute: 240, medianMs: 90 },
  profiles: { perMinute: 60, medianMs: 45 },
  sales: { perMinute: 110, medianMs: 140 },
};
const LATENCY_MS = 60;
const FILLED_MINUTES = 180;

export interface Office {
  dashboard: RunningDashboard;
  close(): Promise<void>;
}

export async function openOffice(redisUrl: string): Promise<Office> {
  const connection = { url: redisUrl };
  const reader = await Reader.open(redisUrl);
  const sandbox = await createSandbox({ apiKey: API_KEY, latencyMs: LATENCY_MS });
  const startWorker = () =>
    createWorker({ ...configOf(sandbox.url), log: { level: 'silent' } }, { connection, env: { API_KEY } });
  // Its figures of the minute are counted by the time it has stopped, and replaced by those of the story.
  const before = await startWorker();
  for (const name of Object.keys(LOAD)) await deliver(name, reader, redisUrl);
  await before.stop(AbortSignal.timeout(5000));
  await fill(reader);
  const worker = await startWorker();
  const dashboard = await startDashboard(
    { ...configOf(), dashboard: { port: 0, environment: 'staging' } },
    { connection, env: {}, localName: 'maria', logTo: { write: () => {} } },
  );
  return {
    dashboard,
    close: async () => {
      await dashboard.stop();
      await worker.stop(AbortSignal.timeout(5000));
      await sandbox.close();
      await reader.close();
    },
  };
}

/** What the overview counts as delivered: real writes. */
async function deliver(name: string, reader: Reader, url: string): Promise<void> {
  const queue = createQueue(name, { connection: url });
  try {
    const count = 10 * (LOAD[name]?.perMinute ?? 0);
    const data = { method: 'POST', path: '/v1/stores', body: { name: 'Aarhus', country: 'DK' } } as const;
    await queue.addBulk(Array.from({ length: count }, () => ({ name: 'send', data })));
    while ((await reader.queue(name).getCompletedCount()) < count) await sleep(100);
  } finally {
    await queue.close();
  }
}

async function fill(reader: Reader): Promise<void> {
  const config = resolveConfig(configOf());
  const now = await reader.now();
  for (const [name, destination] of Object.entries(config.destinations)) {
    await reader.client.hset(DESTINATIONS_KEY, name, now);
    const policy = policyOf(destination, config.worker);
    const letters = STORIES.flatMap((story, nth) =>
      story.destination === name ? [...lettersOf(story, nth, policy, now)] : [],
    );
    const dead = `${prefixOf(name)}:${deadQueueName(name)}`;
    const pipeline = reader.client.pipeline();
    for (const [i, letter] of letters.toSorted((a, b) => a.deadAt - b.deadAt).entries()) {
      const { name: job, data, opts, timestamp } = letterJobJson(letter);
      pipeline
        .hset(`${dead}:${letter.id}`, { name: job, data, opts: JSON.stringify(opts), timestamp, delay: 0, priority: 1 })
        .zadd(`${dead}:prioritized`, 0x100000000 + i + 1, letter.id);
    }
    await pipeline.exec();
    // The rows are what a reindex makes of the letters.
    await reindex(reader, name);
    await fillMinutes(
      reader,
      name,
      now,
      letters.map(({ deadAt }) => deadAt),
    );
  }
}

async function fillMinutes(reader: Reader, name: string, now: number, deaths: readonly number[]): Promise<void> {
  const { perMinute, medianMs } = LOAD[name] ?? { perMinute: 0, medianMs: 1 };
  const last = Math.floor(now / MINUTE_MS);
  for (let ago = FILLED_MINUTES; ago >= 0; ago -= 1) {
    await reader.client.del(minuteKey(name, last - ago));
    const share = ago === 0 ? (now % MINUTE_MS) / MINUTE_MS : 1;
    const at = (last - ago) * MINUTE_MS;
    const chance = (what: string): number => chanceOf(name, ago, what);
    const died = deaths.filter((deadAt) => Math.floor(deadAt / MINUTE_MS) === last - ago).length;
    const wave = 1 + 0.25 * Math.sin(ago / 19) + 0.3 * (chance('load') - 0.5);
    const counts = emptyMinute();
    counts.delivered = Math.round(perMinute * wave * share * (died > 3 ? 0.5 : 1));
    counts.retried = Math.round(counts.delivered * 0.01 * chance('retried')) + died * 4;
    counts.dead = died;
    for (let i = 0; i < counts.delivered + counts.retried; i += 1) {
      // Most near the median, and a long tail (log-normal, by the sum of three draws).
      const spread = chance(`a ${i}`) + chance(`b ${i}`) + chance(`c ${i}`) - 1.5;
      const durationMs = medianMs * Math.exp(0.9 * spread);
      const bucket = bucketOf(durationMs);
      counts.durations.set(bucket, (counts.durations.get(bucket) ?? 0) + 1);
    }
    await recordMinute(reader.client, name, at, counts);
  }
}
