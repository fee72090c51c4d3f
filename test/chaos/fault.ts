// What a fault is, for those who write one. A module in faults/ exports a Fault; `inject` does harm to a campaign that has
// workers and, once it asks for it by `campaign.load(…)`, writes in flight. When it returns, harm has stopped: every proxy
// heals, Redis runs, frozen workers go on. Then the campaign drains and is judged by the invariants; `inject` judges
// nothing itself, except what belongs to its row alone, by `campaign.figures` and `extra`.
//
//  - All chance comes from `campaign.chance`, so that a seed repeats the plan of a campaign (not its clock).
//  - What it starts it ends by `campaign.defer(…)`.
//  - `campaign.lost(slot)` notes a worker that died or lost its locks: a write may be `crashed` only if there were enough.
//  - `campaign.mayLoseBetween(from, until)` notes when Redis may have lost what was acknowledged: nothing else may be gone.
//  - Writes of its own: `campaign.ledger.intend(uuid(chance), plan)` and `addUntilAcknowledged(…)` of load.ts.
import type { Campaign, CampaignOptions } from './campaign.ts';

export interface Fault {
  readonly name: string;
  /** For the table: what is done, so many times. */
  readonly title: string;
  /** How many for the published run, and so many at most in one campaign of it. */
  readonly published: number;
  readonly batch: number;
  /** How many within `npm test`; 0 leaves it out. */
  readonly slice: number;
  /** The negative control: with the worker that everybody writes, which must break a promise. */
  readonly usual?: boolean;
  readonly options?: (seed: number, amount: number) => CampaignOptions | Promise<CampaignOptions>;
  /** @returns how many were injected */
  inject(campaign: Campaign, amount: number): Promise<number>;
  /** Promises of this row alone; each text is one that was broken. After the drain. */
  extra?(campaign: Campaign): Promise<string[]>;
}
