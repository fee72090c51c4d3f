// Failover: the primary is killed under load, its replica takes over, the old one comes back as a replica, and is next to
// take over. Replication is asynchronous: what the primary acknowledged and had not passed on is gone, an add as well as the
// end of a write. How many adds is measured; a write whose end is gone is sent again, under its key. What was passed on is
// told by a beat that the primary is given all the time: whatever it acknowledged before the last one that its successor
// has, that one has too, and must not lose. Nor anything that a producer waited for to be on the replica.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { PrivateRedis } from '../../../dev/redis/start.ts';
import { prefixOf } from '../../../queue/keys.ts';
import { isLinked, startCluster } from '../../support/redis-cluster.ts';
import { PRIMARY_NAME, SENTINEL_PASSWORD, startSentinels } from '../../support/redis-sentinel.ts';
import { beat, directTo, lastBeat } from '../beat.ts';
import { type Campaign, type CampaignOptions, DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import { until } from '../until.ts';

const WRITES_PER_FAILOVER = 600;
/** So many more show that adds go on. */
const AFTER_IT = 100;
const TAKEN_OVER_LIMIT_MS = 60_000;
const BACK_LIMIT_MS = 60_000;
/** A machine that is busy shall not make failovers of its own. */
const DOWN_AFTER_MS = 2000;
const ADDED_LIMIT_MS = 60_000;
/** How a producer has its writes acknowledged by the replica too. */
const WAITED = { waitForReplicas: { count: 1, timeoutMs: 1000 } };

/** A primary of the campaign's destination, and the replica that is to follow it. */
interface Pair {
  readonly redis: NonNullable<CampaignOptions['redis']>;
  /** The server that is the primary, whatever the others think. */
  primary(): PrivateRedis;
  /** Kills the primary. Resolves once another is in its place. */
  killPrimary(): Promise<void>;
  /** Brings back the one that was killed. Resolves once it is a replica that has caught up. */
  bringBack(chance: Chance): Promise<void>;
  stop(): Promise<unknown>;
}

/** Of the campaigns that are under way, by their options. */
const pairs = new WeakMap<object, Pair>();

const failover = (
  name: string,
  title: string,
  start: (settings: object) => Promise<Pair>,
  settings: object = {},
): Fault => ({
  name,
  title,
  published: 20,
  batch: 20,
  slice: 0,
  options: async () => {
    const pair = await start(settings);
    pairs.set(pair.redis, pair);
    // Each outage is longer than a lock, and what it takes is a lost start as a dead worker's is; so many are allowed here.
    return { redis: pair.redis, worker: { maxCrashes: 50 }, repliesBreak: true };
  },
  inject: async (campaign, amount) => {
    const pair = pairs.get(campaign.options.redis ?? {});
    if (!pair) throw new Error('a failover needs its own Redis');
    campaign.defer(() => pair.stop());
    const chance = campaign.chance.fork('failovers');
    const load = campaign.load({ backlog: WRITES_PER_FAILOVER, total: amount * WRITES_PER_FAILOVER });
    const pausesMs: number[] = [];
    for (let i = 0; i < amount; i += 1) {
      await load.share(i, WRITES_PER_FAILOVER);
      const at = i * WRITES_PER_FAILOVER + chance.between(10, WRITES_PER_FAILOVER - AFTER_IT - 250);
      const beating = beat(directTo(pair.primary().url));
      await until('some of its writes are added', () => load.added >= at, ADDED_LIMIT_MS, 1);
      await sleep(chance.between(0, 20));
      // The outage is longer than a lock: whatever is in flight loses its start.
      campaign.allLost();
      const [killedAt, before, diedAt] = [performance.now(), load.added, Date.now()];
      const goesOn = until(
        'writes are added again',
        () => load.added >= Math.min(before + AFTER_IT, load.allowed),
        ADDED_LIMIT_MS,
        5,
      ).then(() => pausesMs.push(performance.now() - killedAt));
      const takenOver = async (): Promise<void> => {
        await pair.killPrimary();
        await beating.stop();
        // Nobody waits for the replica with what workers write.
        const from = await lastBeat(directTo(pair.primary().url), beating, diedAt);
        campaign.mayLoseBetween(from, Date.now(), settings === WAITED);
        await pair.bringBack(chance);
      };
      // Who waits for the replica is answered once it is back.
      await Promise.all([goesOn, takenOver()]);
    }
    await load.done;
    campaign.figures['adds go on after s, at most'] = Math.round(Math.max(...pausesMs) / 100) / 10;
    return amount;
  },
  extra: async (campaign) => {
    campaign.figures.acknowledged = acknowledged(campaign);
    if (settings === WAITED) campaign.figures['gone although replicated'] = await gone(campaign);
    // Away from the outages it is the machine that is too busy for locks of a second.
    const unrenewed = (await campaign.logLines()).filter((line) => line.includes('could not renew lock'));
    campaign.figures['lines that say a lock was not renewed'] = unrenewed.length;
    return [];
  },
});

const acknowledged = ({ ledger }: Campaign): number =>
  [...ledger.entries()].reduce((count, entry) => count + Number(entry.acknowledged), 0);

async function gone(campaign: Campaign): Promise<number> {
  const ends = await readEnds(campaign.reader, DESTINATION);
  return [...campaign.ledger.entries()].filter(({ key, acknowledged: was }) => was && ends.of(key).places.length === 0)
    .length;
}

async function sentinelPair(settings: object): Promise<Pair> {
  const setup = await startSentinels({ downAfterMs: DOWN_AFTER_MS });
  let [primary, replica] = [setup.primary, setup.replica];
  const url = `redis+sentinel://${setup.sentinels}/${PRIMARY_NAME}`;
  return {
    redis: { settings: { url, sentinelPassword: SENTINEL_PASSWORD, ...settings }, folder: setup.folder },
    primary: () => primary,
    killPrimary: async () => {
      primary.kill();
      const isNamed = async (): Promise<boolean> => (await setup.namedPort()) === replica.port;
      await until('the Sentinels name the replica', isNamed, TAKEN_OVER_LIMIT_MS, 50);
      [primary, replica] = [replica, primary];
    },
    bringBack: async (chance) => {
      // As it was, a primary, it is made a replica by the Sentinels, after 8 s.
      replica = await setup.restart(replica, chance.next() < 0.5 ? primary.port : undefined);
      await until('the old primary is a replica', () => isReplica(replica), BACK_LIMIT_MS, 100);
    },
    stop: () => setup.stop(),
  };
}

async function isReplica({ url }: PrivateRedis): Promise<boolean> {
  const client = new Redis(url, { retryStrategy: null });
  client.on('error', () => {});
  try {
    return (await client.info('replication')).includes('master_link_status:up');
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function clusterPair(settings: object): Promise<Pair> {
  const cluster = await startCluster({ primaries: 3, replicas: 3 });
  const index = await cluster.primaryOf(prefixOf(DESTINATION));
  const [first, second] = [cluster.primaries[index], cluster.replicas[index]];
  if (!first || !second) throw new Error('no primary has the destination');
  let [primary, replica] = [first, second];
  return {
    redis: { settings: { url: `redis+cluster://${cluster.hosts}`, ...settings }, folder: cluster.folder },
    primary: () => primary,
    killPrimary: async () => {
      primary.kill();
      const hasTakenOver = async (): Promise<boolean> =>
        (await replica.admin.info('replication')).includes('role:master');
      await until('the replica takes over', hasTakenOver, TAKEN_OVER_LIMIT_MS, 50);
      [primary, replica] = [replica, primary];
    },
    bringBack: async () => {
      replica = await cluster.restart(replica);
      await until('the old primary is a replica', () => isLinked(replica), BACK_LIMIT_MS, 100);
    },
    stop: () => cluster.stop(),
  };
}

export const FAILOVERS: readonly Fault[] = [
  failover('failover-sentinel', 'Sentinel: the primary is killed under load, its replica takes over', sentinelPair),
  failover('failover-sentinel-wait', 'the same, and producers wait for the replica (WAIT)', sentinelPair, WAITED),
  failover('failover-cluster', 'Cluster: a primary is killed under load, its replica takes over', clusterPair),
  failover('failover-cluster-wait', 'the same, and producers wait for the replica (WAIT)', clusterPair, WAITED),
];
