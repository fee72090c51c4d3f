// Runs one fault as one campaign, and says what came of it as a line of results.
import { Campaign } from './campaign.ts';
import type { Fault } from './fault.ts';
import { type Count, type Invariant, look } from './judge.ts';
import { quantile, uniformity } from './statistics.ts';

export interface Result {
  fault: string;
  seed: number;
  amount: number;
  /** ISO, the day it was run. */
  date: string;
  durationS: number;
  writes: number;
  sends: number;
  endings: Record<string, number>;
  invariants: Record<Invariant, Count>;
  figures: Record<string, number | string>;
  /** Broken promises of this row alone. */
  broken: string[];
}

/** A sample smaller than this says nothing about its distribution. */
const UNIFORMITY_FROM = 1000;

export async function runFault(fault: Fault, seed: number, amount: number): Promise<Result> {
  const began = performance.now();
  const campaign = await Campaign.start(seed, {
    ...(await fault.options?.(seed, amount)),
    ...(fault.usual && { usual: true }),
  });
  try {
    const injected = await fault.inject(campaign, amount);
    const { judgement, measured, writes, sends, endings } = await campaign.finish();
    const broken = (await fault.extra?.(campaign)) ?? [];
    const { jitters, latenessMs, lost, forgotten } = measured;
    if (jitters.length >= UNIFORMITY_FROM) {
      const { distance, limit } = uniformity(jitters);
      look(judgement, 'I8', distance < limit, () => `jitter is not uniform: distance ${distance}, limit ${limit}`);
      campaign.figures['jitter KS distance'] = Number(distance.toFixed(4));
      campaign.figures['jitter KS limit'] = Number(limit.toFixed(4));
      campaign.figures['jitters'] = jitters.length;
    }
    if (latenessMs.length > 0) {
      campaign.figures['retries late ms p50'] = quantile(latenessMs, 0.5);
      campaign.figures['retries late ms p99'] = quantile(latenessMs, 0.99);
    }
    if (campaign.options.mayLose) {
      campaign.figures['acknowledged and lost'] = lost;
      campaign.figures['sends whose record was lost'] = forgotten;
    }
    return {
      fault: fault.name,
      seed,
      amount: injected,
      date: new Date().toISOString().slice(0, 10),
      durationS: Math.round((performance.now() - began) / 100) / 10,
      writes,
      sends,
      endings,
      invariants: judgement,
      figures: campaign.figures,
      broken,
    };
  } finally {
    await campaign.close();
  }
}

/** How many promises were broken. */
export const violationsOf = (result: Result): number =>
  result.broken.length + Object.values(result.invariants).reduce((sum, { violations }) => sum + violations, 0);

/** What a run is to be ashamed of: a promise that was broken, or a control that kept them all. */
export function failuresOf(fault: Fault, result: Result): number {
  const violations = violationsOf(result);
  return fault.usual ? Number(violations === 0) : violations;
}
