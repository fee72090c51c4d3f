// kill -9 of Redis under load, and a start on what it left: with an append-only file a process that dies loses nothing it
// has answered, whatever appendfsync says, since the system writes out what it was given.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { killRedis, startRedisAgain } from '../redis-server.ts';
import { until } from '../until.ts';
import { PATIENCE } from './redis-trouble.ts';

const WRITES_PER_KILL = 60;
const MAX_AWAY_MS = 300;

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
      await sleep(chance.between(0, 60));
      await killRedis(campaign);
      await sleep(chance.between(0, MAX_AWAY_MS));
      await startRedisAgain(campaign);
    }
    await load.done;
    return amount;
  },
}));
