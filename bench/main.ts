// Measures Waybill beside what one would use in its place. `npm run bench -- --help`
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BENCHES } from './index.ts';
import type { Safety } from './kernel/bench.ts';
import { build } from './kernel/build.ts';
import { type BenchPostgres, startPostgres } from './kernel/postgres.ts';
import { withRedis } from './kernel/redis.ts';
import { readPublished, type Result, resultOf, writeResult } from './kernel/result.ts';
import { runBench } from './kernel/rounds.ts';
import { markdown, writeTables } from './kernel/table.ts';
import { startUpstream } from './kernel/upstream.ts';

const ROUNDS = 7;
const QUICK_ROUNDS = 3;
const HELP = `npm run bench                what there is
npm run bench -- --only NAME,… [--arms A,…] [--safety everysec|always] [--rounds N] [--quick] [--publish]
npm run bench -- --all       every one, which takes hours
npm run bench -- --report    the tables of docs/performance.md, from what was published

--rounds     ${ROUNDS} when left out, or as many as the benchmark itself wants
--quick      small counts and ${QUICK_ROUNDS} rounds, to see whether it runs; its figures are worth nothing
--profile    a folder for processor profiles of the measured windows: ARM.cpuprofile; they cost time themselves
--publish    writes bench/results/published/NAME.json, from which --report makes the tables
Peers are installed by \`npm ci --prefix bench\`; an arm whose packages are missing is left out.
`;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    arms: { type: 'string' },
    safety: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'string' },
    publish: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const names = list(
  '--only',
  flags.only,
  BENCHES.map(({ name }) => name),
);
const chosen = BENCHES.filter(({ name }) => names === undefined || names.includes(name));

// Servers end with this process where it ends in order.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

if (flags.help) process.stdout.write(HELP);
else if (flags.report) await report();
else if (flags.all || flags.only !== undefined) await measure();
else {
  for (const { name, title, arms } of BENCHES) {
    process.stdout.write(`${name}: ${title}\n${arms.map((arm) => `  ${arm.name}  ${arm.title}\n`).join('')}`);
  }
  process.stdout.write(`\n${HELP}`);
}

async function report(): Promise<void> {
  const made: Record<string, string> = {};
  for (const bench of BENCHES) {
    const result = await readPublished(bench.name);
    if (result) made[bench.name] = markdown(bench, result);
  }
  for (const name of await writeTables(made)) fail(`docs/performance.md has no marks for ${name}`);
}

async function measure(): Promise<void> {
  const asked = {
    quick: flags.quick,
    profiles: flags.profile && resolve(flags.profile),
    arms: list(
      '--arms',
      flags.arms,
      chosen.flatMap(({ arms }) => arms.map(({ name }) => name)),
    ),
    safeties: list('--safety', flags.safety, ['everysec', 'always']) as Safety[] | undefined,
    log: (line: string) => void process.stderr.write(`${line}\n`),
  };
  if (flags.publish && flags.quick) refuse('figures of --quick are not to be published');
  if (flags.publish && (asked.arms ?? asked.safeties ?? asked.profiles))
    refuse('--publish takes every arm and both safeties, and no --profile');
  if (asked.profiles) await mkdir(asked.profiles, { recursive: true });
  build();
  await withRedis(async (redis) => {
    const upstream = await startUpstream();
    let postgres: Promise<BenchPostgres> | undefined;
    const { dir } = redis;
    try {
      for (const bench of chosen) {
        const usual = Math.min(bench.rounds ?? ROUNDS, flags.quick ? QUICK_ROUNDS : Infinity);
        const options = { ...asked, rounds: positive('--rounds', flags.rounds) ?? usual };
        const surroundings = { redis, upstream, dir, postgres: () => (postgres ??= startPostgres(options.log)) };
        const result = resultOf(bench, await runBench(bench, surroundings, options), options, {
          redis,
          postgres: await postgres?.catch(() => undefined),
        });
        const file = await writeResult(result, flags.publish);
        process.stdout.write(`## ${bench.title}\n\n${markdown(bench, result)}\n\n`);
        options.log(file);
        for (const line of complaints(result)) fail(line);
      }
    } finally {
      await upstream.stop();
      await postgres?.then((server) => server.stop()).catch(() => {});
    }
  });
}

function complaints({ tables, quick }: Result): string[] {
  return tables.flatMap(({ safety, failures, ratios }) => [
    ...failures.map(
      ({ arm, round, why }) => `${safety}: round ${round + 1} of ${arm} has failed: ${why.split('\n')[0]}`,
    ),
    ...ratios
      .filter(({ reached }) => reached === 'no' && !quick)
      .map(({ what, of, to, median }) => `${safety}: not reached: ${what}, ${of}${to ? ` ÷ ${to}` : ''}, ${median}`),
  ]);
}

function list(flag: string, given: string | undefined, allowed: readonly string[]): string[] | undefined {
  const values = given?.split(',');
  for (const value of values ?? []) {
    if (!allowed.includes(value)) refuse(`${flag} ${value}: allowed are ${[...new Set(allowed)].join(', ')}`);
  }
  return values;
}

function positive(flag: string, given: string | undefined): number | undefined {
  if (given !== undefined && !/^[1-9]\d{0,3}$/.test(given)) refuse(`${flag} ${given}: allowed are 1 to 9999`);
  return given === undefined ? undefined : Number(given);
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
