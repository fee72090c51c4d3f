// What it costs the server to look among 1,000 dead letters and among 100,000, what these weigh, and what the rows add to the
// step that files a dead letter. Ends with 1 where a bound does not hold. `npm run bench:dead-letters`
import { createHash } from 'node:crypto';
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
const KINDS = 100;
/** What a server has that nobody has told otherwise (docs/redis.md, "Memory"). */
const REDIS_DEFAULT = ['--hash-max-ziplist-value', '64'];
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

/** Bears its number, and looks like any other. */
const uuid = (n: number): string => {
  const hex = createHash('sha256').update(String(n)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
const requestIdOf = (n: number): string => `req_${uuid(-1 - n)}`;

/**
 * The n-th dead write of `size`, of 100 kinds in turn, which make 64 classes: an opt-in with a body of 120 bytes, sent once, answered with an
 * envelope of code, message, request_id and mostly details, as the worker records it.
 */
function death(n: number, size: number): Death {
  const kind = n % KINDS;
  const isUnavailable = kind % 4 === 3;
  const status = [400, 404, 422, 503][kind % 4] as number;
  const because = isUnavailable ? 'HTTP 503; attempt 1 of 1 was the last' : `HTTP ${status} is not retried`;
  const code = `INVALID_VALUE_${kind % 20}`;
  const message = 'phone_number must be a valid E.164 number.';
  const details = kind % 3 > 0 ? { field: `field_${kind % 3}` } : undefined;
  const requestId = requestIdOf(n);
  return {
    key: uuid(n),
    at: timeOf(n, size),
    reason: isUnavailable ? 'exhausted' : 'rejected',
    because,
    generation: kind % 25 === 24 ? 1 : 0,
    path: '/v1/subscriptions/opt-in',
    body: JSON.stringify({
      phone_number: `+45${10_000_000 + n}`,
      list_id: 'newsletter',
      channel: 'sms',
      locale: 'da-DK',
      consent_at: new Date(bornAt + n * 1000).toISOString(),
    }),
    attempts: [
      {
        status,
        code,
        evidence: isUnavailable ? 'doubt' : 'not-applied',
        requestId,
        worker: 'sms-worker-1-3f2a',
        because,
        envelope: { code, message, ...(details && { details: JSON.stringify(details) }) },
        body: JSON.stringify({ code, message, request_id: requestId, ...(details && { details }) }),
      },
    ],
  };
}

const LOOKS: Record<string, (reader: Reader, size: number) => Promise<unknown>> = {
  groups: (reader) => groupsOf(reader, DESTINATION, { spark: { from: bornAt, stepMs: MINUTE_MS, slices: 30 } }),
  histogram: (reader) => histogramOf(reader, DESTINATION, { from: bornAt, stepMs: MINUTE_MS, slices: 60 }),
  pageOfAll: (reader) => page(reader, {}),
  pageByTime: (reader) => page(reader, { since: bornAt + SPAN_MS / 10, before: bornAt + SPAN_MS / 2 }),
  pageByCode: (reader) => page(reader, { code: 'INVALID_VALUE_3' }),
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
  findByKey: (reader, size) => found(reader, uuid(size / 2)),
  findByRequestId: (reader, size) => found(reader, requestIdOf(size / 2)),
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

interface Measured {
  filing: { withRowsUs: number; bareUs: number };
  few: Record<string, number>;
  many: Record<string, number>;
}

const measure = (args: string[]): Promise<Measured> =>
  withRedis(async ({ url }) => {
    const filing = await measureFiling(url);
    const [few, many] = [await measureLooks(url, SIZES[0]), await measureLooks(url, SIZES[1])];
    return { filing, few, many };
  }, args);

const round = (value: number): number => Math.round(value * 100) / 100;

const { filing, few, many } = await measure([]);
const untuned = await measure(REDIS_DEFAULT);
const broken: string[] = [];
const filingRatio = filing.withRowsUs / filing.bareUs;
if (filingRatio > MAX_FILING_RATIO) broken.push(`filing costs ${filingRatio.toFixed(2)} times a bare dead letter`);
for (const name of ['usedMb', 'rssMb']) {
  if ((many[name] ?? 0) * 1_000_000 > MAX_BYTES) broken.push(`${name} is ${many[name]}`);
}
const rows = Object.keys(few).map((what) => {
  const ratio = (many[what] ?? 0) / (few[what] ?? 1);
  if (what.endsWith('Us') && ratio > MAX_RATIO) broken.push(`${what} is ${ratio.toFixed(2)} times as much`);
  return {
    what,
    few: few[what] ?? 0,
    many: many[what] ?? 0,
    ratio: round(ratio),
    manyUntuned: untuned.many[what] ?? 0,
  };
});
rows.push({
  what: 'filing: bare, with rows, ratio',
  few: Math.round(filing.bareUs),
  many: Math.round(filing.withRowsUs),
  ratio: round(filingRatio),
  manyUntuned: Math.round(untuned.filing.withRowsUs),
});
await report('dead-letters', 'Server time of a look in µs, and memory, with few and with many dead letters', rows);
for (const line of broken) process.stderr.write(`over the bound: ${line}\n`);
if (broken.length > 0) process.exitCode = 1;
