// kill -9 of Redis under load, and a start on what it left: with `always` a process that dies loses nothing it has answered.
// With `everysec` neither, since the system writes out what it was given; but while a sync takes its time, on a disk that is
// busy, Redis holds back what it has answered for up to two seconds, and that dies with it. A beat tells whether it did.
import { setTimeout as sleep } from 'node:timers/promises';
import { beat, directToOwn, lastBeat } from '../beat.ts';
import type { Fault } from '../fault.ts';
import { killRedis, startRedisAgain } from '../redis-server.ts';
import { until } from '../until.ts';
import { PATIENCE } from './redis-trouble.ts';

const WRITES_PER_KILL = 60;
const MAX_AWAY_MS = 300;
/** For a beat or two before the end. */
const BEATS_MS = 20;

export const killRedises: readonly Fault[] = (['always', 'everysec'] as const).map((appendFsync) => ({
  name: `kill-redis-${appendFsync}`,
  title: `kill -9 of Redis under load, appendfsync ${appendFsync}`,
  published: 100,
  batch: 50,
  slice: appendFsync === 'always' ? 1 : 0,
  options: () => ({ appendFsync, ...PATIENCE }),
  inject: async (campaign, amount) => {
    const chance = campaign.chance.fork('kills of Redis');
    const load = campaign.load({ backlog: 150, total: amount * WRITES_PER_KILL });
    for (let kills = 0; kills < amount; kills += 1) {
      // Until Redis is in use again.
      await load.share(kills, WRITES_PER_KILL);
      await until('writes are in flight', async () => (await campaign.queue.getActiveCount()) > 0, 5000, 2).catch(
        () => {},
      );
      const beating = beat(directToOwn(campaign));
      await sleep(chance.between(BEATS_MS, BEATS_MS + 60));
      const diedAt = Date.now();
      await killRedis(campaign);
      await beating.stop();
      await sleep(chance.between(0, MAX_AWAY_MS));
      await startRedisAgain(campaign);
      if (appendFsync === 'everysec')
        campaign.mayLoseBetween(await lastBeat(directToOwn(campaign), beating, diedAt), Date.now());
    }
    await load.done;
    return amount;
  },
}));
