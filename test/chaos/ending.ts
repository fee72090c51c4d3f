// How a campaign ends: the load stops, every write is given its time to end, and all that was seen goes before the judge.
import { type Campaign, DESTINATION, LOCK_MS, STALLED_MS } from './campaign.ts';
import { readEnds, readUsualEnds } from './ends.ts';
import { policyOf } from './evidence.ts';
import { judge, type Judgement, look, type Measured } from './judge.ts';
import { watchOrphans } from './orphans.ts';
import { judgeSecrecy, tellAll } from './secrets.ts';
import { until } from './until.ts';

/** A machine that is busy looks later than it should. */
const SLACK_MS = 1000;
/** What a worker that is gone had in hand has to be taken back within this. */
const ORPHAN_LIMIT_MS = 2 * STALLED_MS + LOCK_MS + SLACK_MS;
const DRAIN_LIMIT_MS = 180_000;

export interface Ended {
  judgement: Judgement;
  measured: Measured;
  writes: number;
  sends: number;
  /** How many stand in each place. */
  endings: Record<string, number>;
}

/** To be called as soon as harm has stopped. */
export async function endOf(campaign: Campaign): Promise<Ended> {
  const { ledger, sandbox, options, reader } = campaign;
  // Nobody takes anything back where nobody lives.
  if (campaign.workers.size === 0) await campaign.startWorker();
  const [heldAtTheEnd, healthPort] = await Promise.all([
    watchOrphans(campaign),
    startTelling(campaign),
    ...campaign.loads.map((load) => load.stop()),
  ]);
  const held = [...campaign.deaths.heldMs, ...heldAtTheEnd];
  const began = performance.now();
  const drained = await until('every write has ended', async () => (await campaign.open()) === 0, DRAIN_LIMIT_MS, 50)
    .then(() => true)
    .catch(() => false);
  campaign.figures['drained s'] = Math.round((performance.now() - began) / 100) / 10;
  campaign.figures['orphans taken back ms'] = Math.round(Math.max(0, ...held));
  const { watched, unwatched } = campaign.deaths;
  if (watched + unwatched > 0) {
    campaign.figures['deaths watched'] = watched;
    campaign.figures['deaths not watched'] = unwatched;
  }

  if (healthPort !== undefined) await tellAll(campaign, healthPort);
  // Those that are closing have settled all they had.
  await campaign.stopWorkers();

  const ends = await (options.usual ? readUsualEnds : readEnds)(reader, DESTINATION);
  const seen = sandbox.ledger();
  const { judgement, measured } = judge({
    ledger,
    oracle: (key) => sandbox.entry(key),
    anonymous: seen.anonymous,
    seenKeys: Object.keys(seen.keys),
    ends,
    policy: policyOf(campaign.config(), campaign.config().destinations?.[DESTINATION] ?? {}, options),
    poison: campaign.poison,
    losses: campaign.losses,
    lossWindows: campaign.lossWindows,
    drained,
    startedAt: campaign.startedAt,
  });
  for (const ms of held) look(judgement, 'I9', ms <= ORPHAN_LIMIT_MS, () => `held for ${Math.round(ms)} ms`);
  await judgeSecrecy(judgement, campaign);

  const endings: Record<string, number> = {};
  let sends = 0;
  for (const { key } of ledger.entries()) {
    const place = ends.of(key).places.join('+') || 'nowhere';
    endings[place] = (endings[place] ?? 0) + 1;
    sends += sandbox.entry(key)?.sends.length ?? 0;
  }
  return { judgement, measured, writes: ledger.size, sends, endings };
}

/** A worker that tells its metrics, and works as the others do. @returns their port; nothing, of the usual worker */
async function startTelling(campaign: Campaign): Promise<number | undefined> {
  return campaign.options.usual ? undefined : Number((await campaign.startWorker({ health: true })).told.healthPort);
}
