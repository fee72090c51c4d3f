// Power loss: Redis dies, and of its append-only file only what was synced to disk is there again. A kill alone loses
// nothing that was written; so the file is cut afterwards, to where it may have ended on the disk.
//
//  - everysec: Redis writes before it answers and syncs in the background, about once a second; at the latest it holds
//    writes back when a sync is 2 s old. So the file is cut to the length it had at a moment of chance up to 2 s before
//    the death, and a few bytes more, in the middle of a command as a rule. While a sync is under way Redis holds back what it
//    has answered and not yet written, so what is lost began before that moment: a beat that Redis is given all the time tells
//    when. Nothing may be lost that was answered before the last beat which is there again.
//  - always: Redis syncs before it answers. Everybody speaks to it through a proxy, which lets no answer through from some
//    moment on; at that moment the file holds all that anybody was ever told of. Redis works on for a little and dies; then
//    the file is cut anywhere between its length at that moment and its end. Nothing that was answered may be lost.
//
// Not modelled: blocks that a disk writes in another order, and disks that lie about a sync.
import { closeSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createQueue } from '../../../producer/index.ts';
import { type FaultProxy, startProxy } from '../../support/proxy.ts';
import { beat, directToOwn, lastBeat } from '../beat.ts';
import type { Campaign } from '../campaign.ts';
import { DESTINATION } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import type { Fault } from '../fault.ts';
import { addUntilAcknowledged, type Load } from '../load.ts';
import { appendOnlyFile, killRedis, redisOf, startRedisAgain } from '../redis-server.ts';
import { until } from '../until.ts';
import { PATIENCE } from './redis-trouble.ts';

const WORKERS = 3;
const BACKLOG = 100;
const WRITES_PER_LOSS = 60;
const MIN_LIFE_MS = 300;
const MAX_LIFE_MS = 2500;
const GOES_ON_LIMIT_MS = 60_000;
/** Redis' own bound on how old a sync may be. */
const MAX_UNSYNCED_MS = 2000;
/** Of the command in whose middle the file ends. */
const MAX_TORN_BYTES = 300;
const SAMPLE_MS = 5;
const MAX_HELD_MS = 40;
/** What a producer feeds again who knows when the power failed: more than can be lost. */
const FED_AGAIN_MS = 3000;
const AT_ONCE = 50;

export const powerLosses: readonly Fault[] = [
  {
    name: 'power-loss-everysec',
    title: 'power loss, appendfsync everysec: the append-only file cut to where it ended up to 2 s before',
    published: 50,
    batch: 25,
    slice: 0,
    options: () => ({ appendFsync: 'everysec', ...PATIENCE }),
    inject: loseUnsynced,
  },
  {
    name: 'power-loss-always',
    title: 'power loss, appendfsync always: the append-only file cut anywhere behind what was answered',
    published: 50,
    batch: 25,
    slice: 1,
    options: () => ({ appendFsync: 'always', workers: 0, ...PATIENCE }),
    inject: loseUnanswered,
  },
];

async function loseUnsynced(campaign: Campaign, amount: number): Promise<number> {
  const chance = campaign.chance.fork('power losses');
  const load = campaign.load({ backlog: BACKLOG });
  let fedAgain = 0;
  let cut = 0;
  for (let losses = 0; losses < amount; losses += 1) {
    const record = recordLengths(campaign);
    const beating = beat(directToOwn(campaign));
    await live(load, chance);
    record.stop();
    const diedAt = Date.now();
    await killRedis(campaign);
    await beating.stop();
    const moment = record.before(performance.now() - chance.between(0, MAX_UNSYNCED_MS));
    cut += cutTo(campaign, chance, moment.length, MAX_TORN_BYTES);
    await startRedisAgain(campaign);
    campaign.mayLoseBetween(await lastBeat(directToOwn(campaign), beating, diedAt), Date.now());
    // Half of the producers feed again what they had added last, under the same keys.
    if (chance.next() < 0.5) {
      const since = record.before(performance.now() - FED_AGAIN_MS).added;
      const entries = [...campaign.ledger.entries()].slice(since).filter(({ acknowledged }) => acknowledged);
      fedAgain += entries.length;
      for (let from = 0; from < entries.length; from += AT_ONCE)
        await addUntilAcknowledged(campaign.queue, campaign.ledger, entries.slice(from, from + AT_ONCE));
    }
  }
  campaign.figures['bytes cut off'] = cut;
  campaign.figures['writes fed again'] = fedAgain;
  return amount;
}

async function loseUnanswered(campaign: Campaign, amount: number): Promise<number> {
  const chance = campaign.chance.fork('power losses');
  const proxy = await startProxy({ host: '127.0.0.1', port: redisOf(campaign).port });
  campaign.defer(() => proxy.close());
  for (let i = 0; i < WORKERS; i += 1) await campaign.startWorker({ redisUrl: proxy.url('redis') });
  const direct = campaign.queue;
  campaign.queue = createQueue(DESTINATION, { connection: proxy.url('redis') });
  const through = campaign.queue;
  campaign.defer(() => through.close());
  const load = campaign.load({ backlog: BACKLOG });
  campaign.queue = direct;
  let cut = 0;
  for (let losses = 0; losses < amount; losses += 1) {
    await live(load, chance);
    cut += await loseHeld(campaign, proxy, chance);
  }
  campaign.figures['bytes cut off'] = cut;
  return amount;
}

async function loseHeld(campaign: Campaign, proxy: FaultProxy, chance: Chance): Promise<number> {
  proxy.pauseReplies();
  const answered = statSync(appendOnlyFile(campaign)).size;
  await sleep(chance.between(1, MAX_HELD_MS));
  await killRedis(campaign);
  proxy.killSockets();
  const cut = cutTo(campaign, chance, answered);
  await startRedisAgain(campaign);
  await proxy.restore();
  return cut;
}

/** Until the next loss: some time, and some writes. */
async function live(load: Load, chance: Chance): Promise<void> {
  const least = load.added + WRITES_PER_LOSS;
  await sleep(chance.between(MIN_LIFE_MS, MAX_LIFE_MS));
  await until('writes are taken in', () => load.added >= least, GOES_ON_LIMIT_MS, 5);
}

/** @returns how many bytes went */
function cutTo(campaign: Campaign, chance: Chance, length: number, atMostMore = Infinity): number {
  const file = appendOnlyFile(campaign);
  const { size } = statSync(file);
  const torn = length + chance.between(0, Math.min(atMostMore, size - length));
  const end = beforeHalfTransaction(file, torn);
  if (end < torn) campaign.figures[HALVES] = Number(campaign.figures[HALVES] ?? 0) + 1;
  truncateSync(file, end);
  return size - end;
}

const HALVES = 'half transactions taken off the file';
/** A script's effects are one transaction; none of ours is longer. */
const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;

/**
 * What `redis-check-aof --fix` does, as docs/failure-modes.md advises: Redis itself leaves the first half of a transaction
 * that was torn within a command in its file, and carries it out when it is started another time (7.0).
 * @returns where the file has to end
 */
function beforeHalfTransaction(file: string, end: number): number {
  const from = Math.max(0, end - MAX_TRANSACTION_BYTES);
  const bytes = Buffer.alloc(end - from);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, bytes, 0, bytes.length, from);
  closeSync(descriptor);
  const begun = bytes.lastIndexOf('*1\r\n$5\r\nMULTI\r\n');
  return begun > bytes.lastIndexOf('*1\r\n$4\r\nEXEC\r\n') ? from + begun : end;
}

interface Moment {
  /** On the clock of performance.now(). */
  at: number;
  /** Of the file, bytes. */
  length: number;
  /** Writes that the ledger knew. */
  added: number;
}

/** How long the file was when, from now on; what stands in it now was loaded from the disk. */
function recordLengths(campaign: Campaign): { stop(): void; before(at: number): Moment } {
  const file = appendOnlyFile(campaign);
  const note = (): Moment => ({ at: performance.now(), length: statSync(file).size, added: campaign.ledger.size });
  const first = note();
  const moments = [first];
  const timer = setInterval(() => void moments.push(note()), SAMPLE_MS);
  campaign.defer(() => clearInterval(timer));
  return {
    stop: () => clearInterval(timer),
    before: (at) => moments.findLast((moment) => moment.at <= at) ?? first,
  };
}
