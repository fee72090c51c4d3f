// Writes that are dead, for faults that strike operators.
import { jobIdOf } from '../../../core/write.ts';
import { letterId, rowKeys } from '../../../queue/keys.ts';
import { type Campaign, DESTINATION } from '../campaign.ts';
import type { Entry } from '../ledger.ts';
import { addUntilAcknowledged, uuid, writeOf } from '../load.ts';
import type { Chance } from '../chance.ts';
import type { Plan } from '../plans.ts';
import { until } from '../until.ts';

const AT_ONCE = 50;
const LIMIT_MS = 60_000;

/**
 * Adds so many writes and waits until each has ended.
 * @returns those that are dead: where the machine stands still for a second, the API's answer that was to kill one is lost
 */
export async function addDead(campaign: Campaign, chance: Chance, plans: readonly Plan[]): Promise<Entry[]> {
  const entries = plans.map((plan) => campaign.ledger.intend(uuid(chance), plan));
  for (let from = 0; from < entries.length; from += AT_ONCE)
    await addUntilAcknowledged(campaign.queue, campaign.ledger, entries.slice(from, from + AT_ONCE));
  await until('each has ended', async () => (await campaign.open()) === 0, LIMIT_MS);
  const rows = rowKeys(DESTINATION).byTime;
  const dead: Entry[] = [];
  for (const entry of entries) {
    if ((await campaign.reader.client.zscore(rows, firstLetterOf(entry.key))) !== null) dead.push(entry);
    else entry.endings = ['delivered'];
  }
  return dead;
}

export const firstLetterOf = (key: string): string => letterId(jobIdOf(key), 0);

/** The body that a write would have that follows this plan. */
export const bodyOf = (plan: Plan): string => JSON.stringify(writeOf(plan).body);
