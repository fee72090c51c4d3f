// How soon a worker sends after it was started, from source and from the built package, and how soon it ends when it is
// told to: with nothing in flight, and with attempts that take their time.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WAYBILL } from './deliveries.ts';
import type { Arm, Bench, Ratio, Sample, World } from './kernel/bench.ts';
import { taskFor } from './kernel/delivering.ts';
import { callArm } from './kernel/process.ts';

/** How long the attempts in flight take from SIGTERM on, by the name of the figure. */
const IN_FLIGHT_MS = { stop1Ms: 1000, stop3Ms: 3000 };
const AT_ONCE = 10;
const FILL_LIMIT_MS = 30_000;
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 30_000;
const BUILD_LIMIT_MS = 120_000;
/** /proc counts processor time in these. */
const TICK_MS = 10;

const ARMS = ['source', 'dist'] as const;
const FROM = { source: 'from source', dist: 'as built' };

const ratios: Ratio[] = ARMS.flatMap((of) => [
  {
    what: `exec to the first delivery, ms, ${FROM[of]}`,
    figure: 'firstMs',
    of,
    must: { atMost: 1500 },
    stretch: { atMost: 700 },
  },
  ...(['stop0Ms', 'stop1Ms', 'stop3Ms'] as const).map((figure) => ({
    what: `SIGTERM to the end, ms past the longest attempt of ${figure[4]} s, ${FROM[of]}`,
    figure,
    of,
    must: { atMost: 500 },
  })),
]);

export const starting: Bench = {
  name: 'starting',
  title: 'Start and stop of `waybill worker`, one destination',
  safeties: ['everysec'],
  arms: ARMS.map((name) => ({ ...WAYBILL, name, title: `waybill worker, ${FROM[name]}` })),
  figures: [
    { name: 'firstMs', title: 'exec to the first delivery, ms' },
    { name: 'cpuMs', title: 'processor time until then, ms' },
    { name: 'stop0Ms', title: 'SIGTERM to the end, nothing in flight, ms' },
    { name: 'stop1Ms', title: 'past the last of 10 attempts of 1 s, ms' },
    { name: 'stop3Ms', title: 'of 3 s, ms' },
  ],
  ratios,
  measure: async (arm, world) => {
    const file =
      arm.name === 'source' ? fileURLToPath(new URL('cli/main.ts', sourceRoot())) : join(dist(), 'cli/main.js');
    const sample = await startOnce(arm, world, file);
    for (const [figure, attemptMs] of Object.entries(IN_FLIGHT_MS)) {
      await world.redis.empty();
      await world.upstream.reset();
      sample[figure] = await stopInFlight(arm, world, file, attemptMs);
    }
    return sample;
  },
};

async function startOnce(arm: Arm, world: World, file: string): Promise<Sample> {
  await fill(arm, world, 1);
  const startedAt = nowMs();
  const worker = await startWorker(world, file);
  try {
    const first = await Promise.race([world.upstream.reached(1, START_LIMIT_MS), worker.broken]);
    const cpuMs = await cpuOf(worker.child);
    return { firstMs: first.atMs - startedAt, cpuMs, stop0Ms: await worker.stop() };
  } finally {
    worker.child.kill('SIGKILL');
  }
}

/** @returns how long the process outlives the last attempt, ms */
async function stopInFlight(arm: Arm, world: World, file: string, attemptMs: number): Promise<number> {
  await fill(arm, world, AT_ONCE);
  const held = world.upstream.hold(AT_ONCE, START_LIMIT_MS);
  held.catch(() => {});
  const worker = await startWorker(world, file);
  try {
    await Promise.race([held, worker.broken]);
    const [tookMs] = await Promise.all([worker.stop(), sleep(attemptMs).then(() => world.upstream.release())]);
    return tookMs - attemptMs;
  } finally {
    worker.child.kill('SIGKILL');
  }
}

async function fill(arm: Arm, world: World, count: number): Promise<void> {
  await callArm(arm, 'fill', await taskFor(arm, world, { count, concurrency: 1 }), FILL_LIMIT_MS);
}

interface Worker {
  child: ChildProcess;
  /** Rejects should it end by itself. */
  broken: Promise<never>;
  /** By SIGTERM. @returns how long it took, ms */
  stop(): Promise<number>;
}

async function startWorker({ redis, upstream, dir }: World, file: string): Promise<Worker> {
  const config = join(dir, 'waybill.config.json');
  await writeFile(config, JSON.stringify({ destinations: { bench: { baseUrl: upstream.url } } }));
  const child = spawn(process.execPath, [file, 'worker', '--config', config, '--health-port', '0'], {
    env: { ...process.env, REDIS_URL: redis.url },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exit = once(child, 'exit');
  const broken = exit.then(([code, signal]: unknown[]) => {
    throw new Error(`the worker has ended (${String(signal ?? code)})`);
  });
  broken.catch(() => {});
  return {
    child,
    broken,
    stop: async () => {
      const asked = nowMs();
      child.kill('SIGTERM');
      const late = new AbortController();
      const limit = sleep(STOP_LIMIT_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`the worker did not end within ${STOP_LIMIT_MS} ms of SIGTERM`);
      });
      limit.catch(() => {});
      await Promise.race([exit, limit]);
      late.abort();
      return nowMs() - asked;
    },
  };
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

async function cpuOf({ pid }: ChildProcess): Promise<number> {
  // The name in brackets may hold spaces.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const sourceRoot = (): URL => new URL('..', import.meta.url);

let built: string | undefined;

/** The package as `npm run build` makes it, but for the page, made once a run. */
function dist(): string {
  if (built !== undefined) return built;
  const root = fileURLToPath(sourceRoot());
  // Inside of the tree, so that its packages are found.
  mkdirSync(join(root, '.waybill'), { recursive: true });
  const dir = mkdtempSync(join(root, '.waybill/bench-package-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const out = join(dir, 'dist');
  execFileSync(
    process.execPath,
    [join(typescript, 'bin/tsc'), '-p', join(root, 'tsconfig.build.json'), '--outDir', out],
    { stdio: 'inherit', timeout: BUILD_LIMIT_MS },
  );
  cpSync(join(root, 'package.json'), join(dir, 'package.json'));
  return (built = out);
}
