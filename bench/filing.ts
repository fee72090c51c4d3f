// What the lookup rows add to the one step that files a dead letter.
import { Reader } from '../queue/reader.ts';
import { DEAD_LETTER } from '../queue/scripts/dead-letter.ts';
import { file, letterOf, take } from './bury.ts';
import { death } from './dead-write.ts';
import type { Bench, Sample, World } from './kernel/bench.ts';

const DESTINATION = 'sms';
const WARM_UP = 2000;
const COUNT = 4000;
const QUICK_COUNT = 1000;
const AT_ONCE = 200;

/** What the script does for the rows. */
const ROW_LINES =
  /^(enter\(.*|redis\.call\('ZADD', timeKey.*|for i = \d+, #ARGV do redis\.call\('HSET', requestKey.*)$/gm;

export const filing: Bench = {
  name: 'filing',
  title: 'Filing a dead letter: the script as it is, and without what it does for the rows',
  arms: [
    { name: 'rows', title: 'as it is', module: 'bench/filing.ts' },
    { name: 'bare', title: 'without rows', module: 'bench/filing.ts' },
  ],
  safeties: ['everysec'],
  figures: [{ name: 'redisUs', title: 'Redis CPU, µs' }],
  ratios: [{ what: 'Redis CPU', figure: 'redisUs', of: 'rows', to: 'bare', must: { atMost: 1.5 } }],
  measure: (arm, world) => measure(arm.name === 'bare', world),
};

async function measure(isBare: boolean, { redis, quick }: World): Promise<Sample> {
  const reader = await Reader.open(redis.url);
  try {
    if (isBare) leaveRowsOut(reader);
    const count = quick ? QUICK_COUNT : COUNT;
    let us = 0;
    for (let first = 0; first < WARM_UP + count; first += AT_ONCE) {
      const letters = Array.from({ length: AT_ONCE }, (_, i) => letterOf(DESTINATION, death(first + i, 1000)));
      await take(reader, DESTINATION, letters);
      const before = await redis.cpuUs();
      await file(reader, DESTINATION, letters);
      if (first >= WARM_UP) us += (await redis.cpuUs()) - before;
    }
    return { redisUs: us / count };
  } finally {
    await reader.close();
  }
}

function leaveRowsOut(reader: Reader): void {
  const bare = { ...DEAD_LETTER, name: 'waybill:deadLetter:bare', lua: DEAD_LETTER.lua.replaceAll(ROW_LINES, '') };
  if (bare.lua.length === DEAD_LETTER.lua.length) throw new Error('the script has other lines by now');
  reader.client.defineCommand(bare.name, { numberOfKeys: bare.keys, lua: bare.lua });
  interface Runs {
    run: (client: unknown, script: typeof DEAD_LETTER, args: unknown) => unknown;
  }
  const backend = reader.queue(DESTINATION).getBackend() as unknown as Runs;
  const plain = backend.run.bind(backend);
  backend.run = (client, script, args) => plain(client, script === DEAD_LETTER ? bare : script, args);
}
