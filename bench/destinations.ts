// What a worker costs that serves many destinations and has nothing to do: connections, memory, commands on Redis, time to
// start. One destination is measured in the same run, to compare with.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Arm, Bench, Sample, World } from './kernel/bench.ts';
import { cpuUsOf, rssBytesOf } from './kernel/proc.ts';

const CLI = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const SECONDS = 60;
const QUICK_SECONDS = 5;
/** Until what a start costs is over: stalled checks, first fetches, garbage. */
const SETTLE_MS = 5000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;

export const destinations: Bench = {
  name: 'destinations',
  title: `An idle worker, for ${SECONDS} s`,
  rounds: 1,
  arms: [
    { name: '1', title: 'destination', module: 'cli/main.ts', params: { destinations: 1 } },
    { name: '200', title: 'destinations', module: 'cli/main.ts', params: { destinations: 200 } },
  ],
  safeties: ['everysec'],
  figures: [
    { name: 'connections', title: 'connections to Redis' },
    { name: 'rssMb', title: 'memory (RSS), MB' },
    { name: 'cpuPercent', title: 'processor, %', places: 1 },
    { name: 'commandsPerS', title: 'commands in Redis, per s', places: 1 },
    { name: 'scriptsPerS', title: 'scripts, per s', places: 1 },
    { name: 'waitsPerS', title: 'waits for a write, per s', places: 1 },
    { name: 'startMs', title: 'time to start, ms' },
    { name: 'stopMs', title: 'time to stop, ms' },
    { name: 'scrapeMs', title: 'a scrape of the metrics, ms' },
    { name: 'scrapeKb', title: 'its answer, KB' },
  ],
  ratios: [],
  measure,
};

async function measure({ params = {} }: Arm, { redis, dir, quick }: World): Promise<Sample> {
  const worker = await startWorker(redis.url, dir, Number(params.destinations));
  try {
    await sleep(SETTLE_MS);
    const seconds = quick ? QUICK_SECONDS : SECONDS;
    const [cpuUs, from] = await Promise.all([cpuUsOf(worker.pid), redis.look()]);
    await sleep(seconds * 1000);
    const [busyUs, to] = [(await cpuUsOf(worker.pid)) - cpuUs, await redis.look()];
    const scrapedAt = performance.now();
    const metrics = await (await fetch(`http://127.0.0.1:${worker.healthPort}/metrics`)).text();
    const scrapeMs = performance.now() - scrapedAt;
    const calls = (name: string): number => (to.calls[name] ?? 0) - (from.calls[name] ?? 0);
    const all = Object.keys(to.calls).filter((name) => name !== 'info'); // which is the bench's own
    return {
      connections:
        String(await redis.client.client('LIST'))
          .trim()
          .split('\n').length - 1,
      rssMb: (await rssBytesOf(worker.pid)) / 1024 / 1024,
      cpuPercent: busyUs / seconds / 10_000,
      commandsPerS: all.reduce((sum, name) => sum + calls(name), 0) / seconds,
      scriptsPerS: (to.scripts - from.scripts) / seconds,
      waitsPerS: calls('bzpopmin') / seconds,
      startMs: worker.startMs,
      scrapeMs,
      scrapeKb: metrics.length / 1024,
      stopMs: await worker.stop(),
    };
  } finally {
    await worker.stop();
  }
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
  const entries = Array.from({ length: count }, (_, i) => [`d${i}`, { baseUrl: 'http://127.0.0.1:9' }]);
  await writeFile(config, JSON.stringify({ destinations: Object.fromEntries(entries) as unknown }));
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
