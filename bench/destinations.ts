// What a worker costs that serves many destinations and has nothing to do: connections, memory, commands on Redis, time to
// start. One destination is measured in the same run, to compare with. `npm run bench -- 60 1 200`: seconds, destinations.
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { report } from './report.ts';
import { withRedis } from './redis.ts';

const CLI = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
/** Until what a start costs is over: stalled checks, first fetches, garbage. */
const SETTLE_MS = 5000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
/** /proc counts processor time in these. */
const TICK_MS = 10;

const [seconds = 60, ...given] = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [1, 200];

const rows = await withRedis(async ({ url, dir }) => {
  const measured = [];
  for (const destinations of sizes) measured.push(await measure(url, dir, destinations));
  return measured;
});
await report('destinations', `An idle worker for ${seconds} s`, rows);

async function measure(url: string, dir: string, destinations: number) {
  const redis = new Redis(url);
  try {
    await redis.flushall();
    const worker = await startWorker(url, dir, destinations);
    try {
      return await measureIdle(redis, worker, destinations);
    } finally {
      await worker.stop();
    }
  } finally {
    redis.disconnect();
  }
}

async function measureIdle(redis: Redis, worker: Worker, destinations: number) {
  await sleep(SETTLE_MS);
  const cpu = await cpuMs(worker.pid);
  await redis.config('RESETSTAT');
  await sleep(seconds * 1000);
  const calls = callsIn(await redis.info('commandstats'));
  const busyMs = (await cpuMs(worker.pid)) - cpu;
  const scrapedAt = performance.now();
  const metrics = await (await fetch(`http://127.0.0.1:${worker.healthPort}/metrics`)).text();
  const scrapeMs = performance.now() - scrapedAt;
  const perSecond = (count: number): number => round(count / seconds);
  return {
    destinations,
    startMs: Math.round(worker.startMs),
    connections:
      String(await redis.client('LIST'))
        .trim()
        .split('\n').length - 1,
    rssMb: Math.round((await rssKb(worker.pid)) / 1024),
    waitsPerSecond: perSecond(calls('bzpopmin')),
    scriptsPerSecond: perSecond(calls('evalsha') + calls('eval')),
    commandsInRedisPerSecond: perSecond(calls()),
    cpuPercent: round((busyMs / (seconds * 1000)) * 100),
    scrapeMs: Math.round(scrapeMs),
    scrapeKb: Math.round(metrics.length / 1024),
    stopMs: Math.round(await worker.stop()),
  };
}

interface Worker {
  pid: number;
  healthPort: number | undefined;
  startMs: number;
  /** @returns how long it took, ms */
  stop(): Promise<number>;
}

/** Ended by the time this throws. */
async function startWorker(url: string, dir: string, count: number): Promise<Worker> {
  const config = join(dir, 'waybill.config.json');
  // Nobody listens there: nothing is sent.
  const destinations = Array.from({ length: count }, (_, i) => [`d${i}`, { baseUrl: 'http://127.0.0.1:9' }]);
  await writeFile(config, JSON.stringify({ destinations: Object.fromEntries(destinations) as unknown }));
  const from = performance.now();
  const child = spawn(process.execPath, [CLI, 'worker', '--config', config, '--health-port', '0'], {
    env: { ...process.env, REDIS_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const limit = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, health_port } = JSON.parse(line) as { msg: string; health_port?: number };
      if (msg !== 'worker started') continue;
      child.stdout.resume();
      return {
        pid: child.pid ?? 0,
        healthPort: health_port,
        startMs: performance.now() - from,
        stop: async () => {
          const asked = performance.now();
          child.kill('SIGTERM');
          const patience = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
          await ended;
          clearTimeout(patience);
          return performance.now() - asked;
        },
      };
    }
    throw new Error('the worker ended before it had started');
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

/** Calls of a command, or of all, also those that scripts make; without what this bench itself asks. */
function callsIn(info: string): (command?: string) => number {
  const own = ['config|resetstat', 'info'];
  const all = [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].filter(([, name = '']) => !own.includes(name));
  return (command) =>
    all.filter(([, name]) => command === undefined || name === command).reduce((sum, [, , n]) => sum + Number(n), 0);
}

async function rssKb(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function cpuMs(pid: number): Promise<number> {
  // The name in brackets may hold spaces.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
