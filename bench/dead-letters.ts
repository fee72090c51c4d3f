// What it costs the server to look among 1,000 dead letters and among 100,000, and what these weigh.
import type { LetterFilter } from '../queue/letter-filter.ts';
import { countLetters, pageOfLetters } from '../queue/dead-letters.ts';
import { find } from '../queue/find.ts';
import { groupsOf, histogramOf } from '../queue/groups.ts';
import { Reader } from '../queue/reader.ts';
import { bury, letterOf } from './bury.ts';
import { bornAt, death, MINUTE_MS, requestIdOf, SPAN_MS, uuid } from './dead-write.ts';
import type { Arm, Bench, Sample, World } from './kernel/bench.ts';

const PAGE = 50;
const DESTINATION = 'sms';
const AT_ONCE = 1000;
const QUICK_MOST = 10_000;
const REPEATS = 100;
const WARM_UP = 20;
/** Such a look reads thousands of letters. */
const BY_TEXT = 'pageByText';
/** What a server has that nobody has told otherwise (docs/redis.md, "Memory"). */
const HASHES = 'hash-max-ziplist-value';
const REDIS_DEFAULT = '64';

const LOOKS: Readonly<Record<string, (reader: Reader, size: number) => Promise<unknown>>> = {
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

export const deadLetters: Bench = {
  name: 'dead-letters',
  title: 'Looks among dead letters of some 64 kinds, and what they weigh',
  rounds: 1,
  arms: [
    { name: 'few', title: '(1,000)', module: 'bench/dead-letters.ts', params: { letters: 1000 } },
    { name: 'many', title: '(100,000)', module: 'bench/dead-letters.ts', params: { letters: 100_000 } },
    {
      name: 'many-untuned',
      title: "(100,000, with Redis' defaults)",
      module: 'bench/dead-letters.ts',
      params: { letters: 100_000, isTuned: false },
    },
  ],
  safeties: ['everysec'],
  figures: [
    { name: 'usedMb', title: 'memory used, MB', places: 1 },
    { name: 'rssMb', title: 'memory resident, MB', places: 1 },
    ...Object.keys(LOOKS).map((look) => ({ name: look, title: `${look}, Redis CPU, µs` })),
  ],
  ratios: [
    { what: 'memory used, MB', figure: 'usedMb', of: 'many', must: { atMost: 200 } },
    { what: 'memory resident, MB', figure: 'rssMb', of: 'many', must: { atMost: 200 } },
    ...Object.keys(LOOKS).map((look) => ({ what: look, figure: look, of: 'many', to: 'few', must: { atMost: 3 } })),
  ],
  measure,
};

async function measure({ params = {} }: Arm, { redis, quick }: World): Promise<Sample> {
  const size = Math.min(Number(params.letters), quick ? QUICK_MOST : Infinity);
  const [, tuned] = (await redis.client.config('GET', HASHES)) as [string, string];
  const reader = await Reader.open(redis.url);
  try {
    if (params.isTuned === false) await redis.client.config('SET', HASHES, REDIS_DEFAULT);
    await redis.client.hset('waybill:destinations', DESTINATION, bornAt);
    for (let from = 0; from < size; from += AT_ONCE) {
      const count = Math.min(AT_ONCE, size - from);
      const deaths = Array.from({ length: count }, (_, i) => death(from + i, size));
      await bury(reader, DESTINATION, deaths);
    }
    const { usedBytes, rssBytes } = await redis.look();
    const sample: Sample = { usedMb: usedBytes / 1e6, rssMb: rssBytes / 1e6 };
    for (const [name, look] of Object.entries(LOOKS)) {
      const repeats = name === BY_TEXT ? REPEATS / 10 : REPEATS;
      for (let i = 0; i < (name === BY_TEXT ? WARM_UP / 10 : WARM_UP); i++) await look(reader, size);
      const before = await redis.cpuUs();
      for (let i = 0; i < repeats; i++) await look(reader, size);
      sample[name] = ((await redis.cpuUs()) - before) / repeats;
    }
    return sample;
  } finally {
    await redis.client.config('SET', HASHES, tuned);
    await reader.close();
  }
}
