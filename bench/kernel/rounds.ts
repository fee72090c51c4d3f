// The rounds of one benchmark: each arm once in each, in an order that turns.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arm, Bench, Safety, Sample, World } from './bench.ts';
import { judge, type Judged, type Samples, shown, type Spread, spreadsOf } from './figures.ts';

export interface RunOptions {
  rounds: number;
  quick: boolean;
  /** All when left out. */
  arms?: readonly string[] | undefined;
  safeties?: readonly Safety[] | undefined;
  profiles?: string | undefined;
  /** For people: what is going on. */
  log: (line: string) => void;
}

export interface Table {
  safety: Safety;
  arms: { name: string; title: string; figures: Record<string, Spread> }[];
  ratios: Judged[];
  /** Rounds that an arm could not finish. Their figures are missing in the medians. */
  failures: { arm: string; round: number; why: string }[];
}

type Surroundings = Pick<World, 'redis' | 'upstream' | 'postgres' | 'dir'>;

export async function runBench(bench: Bench, surroundings: Surroundings, options: RunOptions): Promise<Table[]> {
  const tables: Table[] = [];
  const safeties = bench.safeties ?? (['everysec', 'always'] as const);
  for (const safety of options.safeties ? safeties.filter((one) => options.safeties?.includes(one)) : safeties) {
    tables.push(
      await runRounds(
        bench,
        {
          ...surroundings,
          safety,
          quick: options.quick,
          ...(options.profiles !== undefined && { profiles: options.profiles }),
        },
        options,
      ),
    );
  }
  return tables;
}

async function runRounds(bench: Bench, world: World, { rounds, arms: named, log }: RunOptions): Promise<Table> {
  const arms = bench.arms.filter(({ name }) => named === undefined || named.includes(name));
  const samples: Samples = Object.fromEntries(arms.map(({ name }) => [name, []]));
  const failures: Table['failures'] = [];
  for (let round = 0; round < rounds; round++) {
    for (const arm of turned(arms, round)) {
      const own = samples[arm.name] as Sample[];
      if (round > 0 && own.every((sample) => Object.keys(sample).length === 0)) continue;
      const line = `${bench.name}, ${world.safety}, round ${round + 1} of ${rounds}, ${arm.name}`;
      try {
        const sample = await once(bench, arm, world);
        own[round] = sample;
        log(
          `${line}: ${bench.figures.map((figure) => `${figure.name} ${shown(sample[figure.name], figure)}`).join(' ')}`,
        );
      } catch (error) {
        // One that breaks must not cost the others their hours; one that breaks in its first round has no second.
        const why = error instanceof Error ? error.message : String(error);
        own[round] = {};
        failures.push({ arm: arm.name, round, why });
        log(`${line} has failed: ${why}`);
      }
    }
  }
  const { safety } = world;
  return {
    safety,
    arms: arms.map(({ name, title }) => ({ name, title, figures: spreadsOf(samples[name] ?? []) })),
    ratios: judge(bench.ratios, samples, safety),
    failures,
  };
}

async function once(bench: Bench, arm: Arm, world: World) {
  await mkdir(world.dir, { recursive: true });
  const dir = await mkdtemp(join(world.dir, 'round-'));
  try {
    await world.redis.empty();
    await world.redis.setSafety(world.safety);
    await world.upstream.reset();
    if (arm.needs === 'postgres') await (await world.postgres()).empty(world.safety);
    return await bench.measure(arm, { ...world, dir });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const turned = <T>(list: readonly T[], by: number): T[] => list.map((_, i) => list[(i + by) % list.length] as T);
