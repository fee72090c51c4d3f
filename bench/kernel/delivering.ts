// How deliveries are measured: a backlog is made, a new process works it off, and what it took is read at two counts of the
// upstream, while it goes on before and after.
import { join } from 'node:path';
import type { Arm, Sample, Task, World } from './bench.ts';
import { type Count, type Counter, counterOf } from './counter.ts';
import { countCommands } from './monitor.ts';
import { type ArmProcess, callArm, startArm, type Usage } from './process.ts';
import type { RedisLook } from './redis.ts';

export interface Plan {
  /** Deliveries before the window. */
  warmUp: number;
  /** Deliveries in the window. */
  count: number;
  /** Deliveries after it, over which commands are counted; none when left out. */
  counted?: number;
  concurrency: number;
  /** Answers of the upstream: 201 when left out. */
  status?: number;
  /** Jobs to begin with: what the plan needs when left out. */
  backlog?: number;
}

const FILL_LIMIT_MS = 600_000;
const START_LIMIT_MS = 60_000;
const WINDOW_LIMIT_MS = 300_000;
/** Left over at the end, so that every slot is busy to the last. */
const TAIL = 2000;

/**
 * Calls `fill` of the arm's module in one process, if the module has work to be given (`arm.params.fill !== false`), and
 * `work` in the next.
 * @returns rate (deliveries/s), workerUs, redisUs, upstreamUs (processor time of each per delivery), scripts and, where
 *   they were counted, commands (of clients, per delivery), maxRssMb; serverUs of PostgreSQL for who needs it
 */
export async function deliver(arm: Arm, world: World, plan: Plan): Promise<Sample> {
  const { warmUp, count, counted = 0, status } = plan;
  await world.upstream.reset(status);
  const backlog = plan.backlog ?? warmUp + count + counted + TAIL;
  const task = await taskFor(arm, world, { count: backlog, concurrency: plan.concurrency });
  if (arm.params?.fill !== false) await callArm(arm, 'fill', task, FILL_LIMIT_MS);
  const counter = counterOf(arm, world);
  const worker = startArm(arm, 'work', task, START_LIMIT_MS);
  try {
    await reached(counter, worker, warmUp);
    if (world.profiles !== undefined) await worker.profile();
    const from = await look(counter, world, worker, arm);
    await reached(counter, worker, warmUp + count);
    const to = await look(counter, world, worker, arm);
    if (world.profiles !== undefined) await worker.profile(join(world.profiles, `${arm.name}.cpuprofile`));
    const isCounted = counted > 0 && usesRedis(arm) && counter === world.upstream;
    const commands = isCounted ? await commandsOver(world, worker, { ...plan, counted }) : undefined;
    return { ...sampleOf(from, to, usesRedis(arm)), ...(commands !== undefined && { commands }) };
  } finally {
    await worker.end();
  }
}

const usesRedis = ({ needs, params }: Arm): boolean => needs !== 'postgres' && params?.fill !== false;

export async function taskFor(
  arm: Arm,
  world: World,
  { count, concurrency }: Pick<Task, 'count' | 'concurrency'>,
): Promise<Task> {
  return {
    redisUrl: world.redis.url,
    upstreamUrl: world.upstream.url,
    ...(arm.needs === 'postgres' && { postgresUrl: (await world.postgres()).url }),
    dir: world.dir,
    count,
    concurrency,
    params: arm.params ?? {},
  };
}

/** Rejects too when the worker breaks. */
export async function reached(counter: Counter, worker: ArmProcess, count: number): Promise<Count> {
  const broken = new Promise<never>((_resolve, reject) => void worker.done.catch(reject));
  return Promise.race([counter.reached(count, WINDOW_LIMIT_MS), broken]);
}

interface Look {
  done: Count;
  worker: Usage;
  redis: RedisLook;
  serverUs: number | undefined;
}

async function look(counter: Counter, world: World, worker: ArmProcess, arm: Arm): Promise<Look> {
  const [done, usage, redis, serverUs] = await Promise.all([
    counter.look(),
    worker.usage(),
    world.redis.look(),
    arm.needs === 'postgres' ? world.postgres().then((postgres) => postgres.cpuUs()) : undefined,
  ]);
  return { done, worker: usage, redis, serverUs };
}

function sampleOf(from: Look, to: Look, isOnRedis: boolean): Sample {
  const delivered = to.done.count - from.done.count;
  const each = (of: (look: Look) => number): number => (of(to) - of(from)) / delivered;
  return {
    rate: 1000 / each(({ done }) => done.atMs),
    workerUs: each(({ worker }) => worker.cpuUs),
    ...(from.done.cpuUs !== undefined && { upstreamUs: each(({ done }) => done.cpuUs ?? NaN) }),
    ...(isOnRedis && { redisUs: each(({ redis }) => redis.cpuUs), scripts: each(({ redis }) => redis.scripts) }),
    maxRssMb: to.worker.maxRssBytes / 1e6,
    ...(from.serverUs !== undefined && { serverUs: each(({ serverUs }) => serverUs ?? NaN) }),
  };
}

/** @returns commands of clients per delivery, between two moments at which every slot of the worker waits for an answer */
async function commandsOver(world: World, worker: ArmProcess, { counted, concurrency }: Counted): Promise<number> {
  const { upstream } = world;
  let delivered = 0;
  const calls = await countCommands(world.redis, async (mark) => {
    const from = await upstream.hold(concurrency, WINDOW_LIMIT_MS);
    await mark.from();
    await upstream.release();
    await reached(upstream, worker, from.count + counted);
    const to = await upstream.hold(concurrency, WINDOW_LIMIT_MS);
    await mark.to();
    delivered = to.count - from.count;
  });
  await upstream.release();
  return Object.values(calls).reduce((sum, times) => sum + times, 0) / delivered;
}

type Counted = Required<Pick<Plan, 'counted' | 'concurrency'>>;
