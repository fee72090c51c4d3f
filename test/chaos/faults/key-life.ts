// Keys that live for seconds, while workers are killed and frozen: what dies with a worker is taken up seconds later, and
// what a frozen one has in hand goes out when it wakes. A key may have ended at the API by then, which would apply the write
// a second time. So nothing may be sent once it may have: such a write is dead as key-expired.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Campaign, type ChaosWorker, DESTINATION, LOCK_MS } from '../campaign.ts';
import type { Chance } from '../chance.ts';
import { readEnds } from '../ends.ts';
import type { Fault } from '../fault.ts';
import { sentAfterItsKey } from '../judge-sends.ts';
import { sendsOf } from '../oracle.ts';
import { until } from '../until.ts';

const WRITES_PER_BLOW = 40;
const BACKLOG = 150;
const WORKERS = 6;
/** The others carry on. */
const STRUCK_AT_ONCE = 3;
/** Of an attempt; the key has to live twice as long. */
const TIMEOUT_MS = 500;
/** What dies with its worker is taken up within a lock's time or two: some keys live to see it, and some do not. */
const KEY_TTL_MS = 2500;
/** Else an end would be kept for as long as a key, and be gone when it is judged. */
const KEPT_MS = 3_600_000;
const SHARE_FROZEN = 0.5;
const MAX_SAMPLES = 5;
/** Fewer may, by chance, leave every key alive. */
const LEAST_FOR_EXPIRY = 20;

export const keyLife: Fault = {
  name: 'key-life',
  title: 'kill -9 and SIGSTOP of workers, with keys that the API keeps for 2.5 s',
  published: 200,
  batch: 100,
  slice: 0,
  // The API takes its time, so that writes are in flight whenever a worker is struck.
  options: () => ({
    workers: WORKERS,
    worker: { maxCrashes: 50 },
    sandbox: { keyTtlMs: KEY_TTL_MS, latencyMs: 60 },
    destination: {
      timeoutMs: TIMEOUT_MS,
      idempotency: { ttlMs: KEY_TTL_MS },
      retention: { deliveredMs: KEPT_MS, deadMs: KEPT_MS, handledMs: KEPT_MS },
    },
  }),
  inject: async (campaign, amount) => {
    const load = campaign.load({ backlog: BACKLOG, total: amount * WRITES_PER_BLOW });
    const struck = new Set<ChaosWorker>();
    let begun = 0;
    const strikeOnAndOn = async (chance: Chance): Promise<void> => {
      while (begun < amount) {
        begun += 1;
        await load.share(begun - 1, WRITES_PER_BLOW, STRUCK_AT_ONCE - 1);
        await sleep(chance.between(0, 40));
        await until('writes are in flight', async () => (await campaign.queue.getActiveCount()) > 0, 30_000, 2).catch(
          () => {},
        );
        const worker = chance.pick([...campaign.workers].filter((one) => !struck.has(one)));
        struck.add(worker);
        await (chance.next() < SHARE_FROZEN ? freeze(campaign, worker, chance) : campaign.killWorker(worker));
        struck.delete(worker);
      }
    };
    const lanes = Array.from({ length: STRUCK_AT_ONCE }, (_, i) => campaign.chance.fork(`blows ${i}`));
    await Promise.all(lanes.map(strikeOnAndOn));
    await load.done;
    return begun;
  },
  extra: async (campaign) => {
    const ends = await readEnds(campaign.reader, DESTINATION);
    const keys = [...campaign.ledger.entries()].map(({ key }) => key);
    const expired = keys.filter((key) => ends.of(key).letter?.reason === 'key-expired').length;
    const late = keys.flatMap((key) => sentAfterItsKey(sendsOf(campaign, key), KEY_TTL_MS).map((ms) => ({ key, ms })));
    Object.assign(campaign.figures, { 'dead as key-expired': expired, 'sent after the end of their key': late.length });
    return [
      ...late.slice(0, MAX_SAMPLES).map(({ key, ms }) => `${key} was sent ${ms} ms after its key may have ended`),
      ...(expired === 0 && campaign.losses.length >= LEAST_FOR_EXPIRY ? ['no key has expired'] : []),
    ];
  },
};

async function freeze(campaign: Campaign, worker: ChaosWorker, chance: Chance): Promise<void> {
  campaign.lost(worker.slot);
  worker.kill('SIGSTOP');
  await sleep(chance.between(LOCK_MS, 4 * LOCK_MS));
  worker.kill('SIGCONT');
}
