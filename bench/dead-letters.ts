// What it costs the server to look among 1,000 dead letters and among 100,000, what these weigh, and what the rows add to the
// step that files a dead letter. Ends with 1 where a bound does not hold. `npm run bench:dead-letters`
import { Redis } from 'ioredis';
import type { LetterFilter } from '../queue/letter-filter.ts';
import { countLetters, pageOfLetters } from '../queue/dead-letters.ts';
import { find } from '../queue/find.ts';
import { groupsOf, histogramOf } from '../queue/groups.ts';
import { Reader } from '../queue/reader.ts';
import { DEAD_LETTER } from '../queue/scripts/dead-letter.ts';
import { bury, type Death, file, letterOf, take } from './bury.ts';
import { withRedis } from './redis.ts';
import { report } from './report.ts';

const SIZES = [1000, 100_000] as const;
const CLASSES = 100;
const MAX_RATIO = 3;
const MAX_FILING_RATIO = 1.5;
const MAX_BYTES = 200_000_000;
const REPEATS = 100;
const WARM_UP = 20;
const PAGE = 50;
const ROUNDS = 20;
const IN_A_ROUND = 200;
const DESTINATION = 'sms';
const MINUTE_MS = 60_000;
/** However many they are, they died in this time. */
const SPAN_MS = 30 * MINUTE_MS;

const bornAt = Date.now() - 86_400_000;

const timeOf = (n: number, size: number): number => bornAt + Math.floor((n * SPAN_MS) / size);

/** The n-th dead write of `size`: of one of 100 classes, in turn; an opt-in with a telephone number. */
function death(n: number, size: number): Death {
  const kind = n % CLASSES;
  const attempts = 1 + (kind % 4 === 3 ? kind % 5 : 0);
  const code = `CODE_${kind % 20}`;
  return {
    key: `key-${n}`,
    at: timeOf(n, size),
    reason: kind % 4 === 3 ? 'exhausted' : 'rejected',
    generation: kind % 25 === 24 ? 1 : 0,
    path: '/v1/subscriptions/opt-in',
    body: JSON.stringify({ phone_number: '+4512345678', channel: 'sms', reference: `reference-${n}` }),
    attempts: Array.from({ length: attempts }, (_, i) => ({
      status: [400, 404, 422, 503][kind % 4] as number,
      code,
      evidence: kind % 4 === 3 ? ('doubt' as const) : ('not-applied' as const),
      requestId: `req_${n}_${i}`,
      envelope: {
        code,
        message: 'The request could not be processed.',
        ...(kind % 3 > 0 && { details: JSON.stringify({ field: `field_${kind % 3}` }) }),
      },
      body: JSON.stringify({ code, message: 'The request could not be processed.', request_id: `req_${n}_${i}` }),
    })),
  };
}

const LOOKS: Record<string, (reader: Reader, size: number) => Promise<unknown>> = {
  groups: (reader) => groupsOf(reader, DESTINATION, { spark: { from: bornAt, stepMs: MINUTE_MS, slices: 30 } }),
  histogram: (reader) => histogramOf(reader, DESTINATION, { from: bornAt, stepMs: MINUTE_MS, slices: 60 }),
  pageOfAll: (reader) => page(reader, {}),
  pageByTime: (reader) => page(reader, { since: bornAt + SPAN_MS / 10, before: bornAt + SPAN_MS / 2 }),
  pageByCode: (reader) => page(reader, { code: 'CODE_3' }),
  pageByField: (reader) => page(reader, { field: 'field_1' }),
  pageByStatus: (reader) => page(reader, { status: 422 }),
  pageByReason: (reader) => page(reader, { reason: 'exhausted' }),
  pageByVerdict: (reader) => page(reader, { verdict: 'in-doubt' }),
  pageByAttempts: (reader) => page(reader, { attempts: 1 }),
  pageByReplayed: (reader) => page(reader, { replayed: true }),
  pageByText: (reader) => page(reader, { text: 'nowhere' }),
  pageByThree: (reader) => page(reader, { status: 400, reason: 'rejected', field: 'field_2' }),
  nextPage: (reader) => page(reader, { status: 422 }, bornAt + SPAN_MS / 2),
  count: (reader) => countLetters(reader, DESTINATION, { filter: { verdict: 'not-applied' } }),
  countByTime: (reader) => countLetters(reader, DESTINATION, { filter: { status: 404, since: bornAt + SPAN_MS / 2 } }),
  findByKey: (reader, size) => found(reader, `key-${size / 2}`),
  findByRequestId: (reader, size) => found(reader, `req_${size / 2}_0`),
  findByLetterId: (reader, size) => found(reader, letterOf(DESTINATION, death(size / 2, size)).id),
};

async function page(reader: Reader, filter: LetterFilter, at?: number): Promise<void> {
  const after = at === undefined ? {} : { after: { at, id: 'w' } };
  const { letters } = await pageOfLetters(reader, DESTINATION, { first: 'newest', filter, limit: PAGE, ...after });
  if (letters.length === 0 && filter.text === undefined) throw new Error(`nothing found of ${JSON.stringify(filter)}`);
}

async function found(reader: Reader, id: string): Promise<void> {
  const writes = await find(reader, id, DESTINATION);
  if (writes.length !== 1) throw new Error(`${id} was found ${writes.length} times`);
}

async function measureLooks(url: string, size: number): Promise<Record<string, number>> {
  const redis = new Redis(url);
  const reader = await Reader.open(url);
  try {
    await redis.flushall();
    await redis.hset('waybill:destinations', DESTINATION, bornAt);
    for (let from = 0; from < size; from += 1000) {
      await bury(
        reader,
        DESTINATION,
        Array.from({ length: 1000 }, (_, i) => death(from + i, size)),
      );
    }
    const row: Record<string, number> = { letters: size, ...(await memory(redis)) };
    for (const [name, look] of Object.entries(LOOKS)) {
      const repeats = name === 'pageByText' ? REPEATS / 10 : REPEATS;
      for (let i = 0; i < repeats / 5; i++) await look(reader, size);
      const before = await cpuUs(redis);
      for (let i = 0; i < repeats; i++) await look(reader, size);
      row[`${name}Us`] = Math.round(((await cpuUs(redis)) - before) / repeats);
    }
    return row;
  } finally {
    await reader.close();
    redis.disconnect();
  }
}

/** The script as it is, and without the rows, in turn: the machine's mood is shared. */
async function measureFiling(url: string): Promise<{ withRowsUs: number; bareUs: number }> {
  const redis = new Redis(url);
  const reader = await Reader.open(url);
  const bare = { ...DEAD_LETTER, name: 'waybill:deadLetter:bare', lua: DEAD_LETTER.lua.replaceAll(ROW_LINES, '') };
  if (bare.lua.length === DEAD_LETTER.lua.length) throw new Error('the script has other lines by now');
  reader.client.defineCommand(bare.name, { numberOfKeys: bare.keys, lua: bare.lua });
  interface Runs {
    run: (client: unknown, script: typeof DEAD_LETTER, args: unknown) => unknown;
  }
  const backend = reader.queue(DESTINATION).getBackend() as unknown as Runs;
  const plain = backend.run.bind(backend);
  const costs = { withRowsUs: 0, bareUs: 0 };
  try {
    await redis.flushall();
    for (let round = -WARM_UP / 10; round < ROUNDS; round++) {
      for (const kind of ['withRowsUs', 'bareUs'] as const) {
        backend.run = (client, script, args) =>
          plain(client, kind === 'bareUs' && script === DEAD_LETTER ? bare : script, args);
        const first = (round + WARM_UP) * 2 * IN_A_ROUND + (kind === 'bareUs' ? IN_A_ROUND : 0);
        const letters = Array.from({ length: IN_A_ROUND }, (_, i) => letterOf(DESTINATION, death(first + i, 1000)));
        await take(reader, DESTINATION, letters);
        const before = await cpuUs(redis);
        await file(reader, DESTINATION, letters);
        if (round >= 0) costs[kind] += ((await cpuUs(redis)) - before) / IN_A_ROUND / ROUNDS;
      }
    }
    return costs;
  } finally {
    await reader.close();
    redis.disconnect();
  }
}

/** What the script does for the rows. */
const ROW_LINES =
  /^(enter\(.*|redis\.call\('ZADD', timeKey.*|for i = \d+, #ARGV do redis\.call\('HSET', requestKey.*)$/gm;

/** Processor time of the server so far. */
async function cpuUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1_000_000;
}

async function memory(redis: Redis): Promise<{ usedMb: number; rssMb: number }> {
  const info = await redis.info('memory');
  const mb = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]) / 100_000) / 10;
  return { usedMb: mb('used_memory'), rssMb: mb('used_memory_rss') };
}

const broken: string[] = [];
const rows = await withRedis(async ({ url }) => {
  const filing = await measureFiling(url);
  const measured: Record<string, number>[] = [];
  for (const size of SIZES) measured.push(await measureLooks(url, size));
  const [few = {}, many = {}] = measured;
  const ratio = filing.withRowsUs / filing.bareUs;
  if (ratio > MAX_FILING_RATIO) broken.push(`filing costs ${ratio.toFixed(2)} times a bare dead letter`);
  for (const name of ['usedMb', 'rssMb']) {
    if ((many[name] ?? 0) * 1_000_000 > MAX_BYTES) broken.push(`${name} is ${many[name]}`);
  }
  return Object.keys(few)
    .map((name) => {
      const times = (many[name] ?? 0) / (few[name] ?? 1);
      if (name.endsWith('Us') && times > MAX_RATIO) broken.push(`${name} is ${times.toFixed(2)} times as much`);
      return { what: name, few: few[name] ?? 0, many: many[name] ?? 0, ratio: Math.round(times * 100) / 100 };
    })
    .concat({
      what: 'filing: bare, with rows, ratio',
      few: Math.round(filing.bareUs),
      many: Math.round(filing.withRowsUs),
      ratio: Math.round(ratio * 100) / 100,
    });
});
await report('dead-letters', 'Server time of a look in µs, and memory, with few and with many dead letters', rows);
for (const line of broken) process.stderr.write(`over the bound: ${line}\n`);
if (broken.length > 0) process.exitCode = 1;
