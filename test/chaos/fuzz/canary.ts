// Canaries: good writes for an API that is well, which hostile ones must not hold up.
import { jobIdOf } from '../../../core/write.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import { addUntilAcknowledged, uuid } from '../load.ts';
import { PLAN_OK } from '../plans.ts';
import { quantile } from '../statistics.ts';
import { until } from '../until.ts';

/** From before it is added until it is delivered, for every one of them. */
const LIMIT_MS = 1000;
const GIVEN_UP_MS = 10_000;

export interface Canaries {
  /** Sends one, and waits for its end. */
  send(): Promise<void>;
  readonly figures: Record<string, number>;
  /** A line for every one that was late. */
  readonly late: readonly string[];
}

export function startCanaries(campaign: Campaign): Canaries {
  const durationsMs: number[] = [];
  const completed = campaign.reader.queue(DESTINATION).toKey('completed');
  const isLate = (durationMs: number): boolean => durationMs > LIMIT_MS;
  return {
    send: async () => {
      const entry = campaign.ledger.intend(uuid(campaign.chance), PLAN_OK);
      const began = performance.now();
      await addUntilAcknowledged(campaign.queue, campaign.ledger, [entry]);
      const isDelivered = async (): Promise<boolean> =>
        (await campaign.reader.client.zscore(completed, jobIdOf(entry.key))) !== null;
      await until('the canary is delivered', isDelivered, GIVEN_UP_MS, 2).catch(() => {});
      durationsMs.push(performance.now() - began);
    },
    get figures() {
      return {
        canaries: durationsMs.length,
        'canaries later than 1 s': durationsMs.filter(isLate).length,
        'canaries ms p50': Math.round(quantile(durationsMs, 0.5)),
        'canaries ms p99': Math.round(quantile(durationsMs, 0.99)),
        'canaries, the longest ms': Math.round(Math.max(...durationsMs)),
      };
    },
    get late() {
      return durationsMs.filter(isLate).map((durationMs) => `a canary took ${Math.round(durationMs)} ms`);
    },
  };
}
