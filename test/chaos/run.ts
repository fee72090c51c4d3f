// Runs one fault as one campaign, and says what came of it as a line of results.
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Campaign } from './campaign.ts';
import { endOf } from './ending.ts';
import type { Fault } from './fault.ts';
import { type Count, type Invariant, type Judgement, look, type Measured } from './judge.ts';
import { IN_HAND_MS } from './judge-sends.ts';
import { quantile, uniformity } from './statistics.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Result {
  fault: string;
  seed: number;
  amount: number;
  /** ISO, the day it was run. */
  date: string;
  /** What was tried; rows from before it was noted have none. */
  commit?: string;
  /** Something differed from that commit. */
  dirty?: boolean;
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
/** Longer than the longest campaign takes on a machine that does other things as well. */
const CAMPAIGN_LIMIT_MS = 7_200_000;

/** Runs one campaign. @throws where it could not be carried out; its folder is kept then, as where a promise was broken */
export async function runFault(fault: Fault, seed: number, amount: number): Promise<Result> {
  const began = performance.now();
  const campaign = await Campaign.start(seed, {
    ...(await fault.options?.(seed, amount)),
    ...(fault.usual && { usual: true }),
  });
  let keepFolder = true;
  try {
    const injected = await within(fault.name, () => fault.inject(campaign, amount));
    const { judgement, measured, writes, sends, endings } = await endOf(campaign);
    const broken = [...campaign.broken, ...((await fault.extra?.(campaign)) ?? [])];
    note(campaign, judgement, measured);
    const result = {
      fault: fault.name,
      seed,
      amount: injected,
      date: new Date().toISOString().slice(0, 10),
      ...(await checkedOut()),
      durationS: Math.round((performance.now() - began) / 100) / 10,
      writes,
      sends,
      endings,
      invariants: judgement,
      figures: campaign.figures,
      broken,
    };
    keepFolder = failuresOf(fault, result) > 0;
    return result;
  } finally {
    if (keepFolder) process.stderr.write(`chaos: what ${fault.name} left is kept in ${campaign.folder}\n`);
    await campaign.close({ keepFolder });
  }
}

async function within<T>(name: string, work: () => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const tooLong = async (): Promise<never> => {
    await sleep(CAMPAIGN_LIMIT_MS, undefined, { signal: limit.signal });
    throw new Error(`${name} still went on after ${CAMPAIGN_LIMIT_MS / 60_000} minutes`);
  };
  try {
    return await Promise.race([work(), tooLong()]);
  } finally {
    limit.abort();
  }
}

/** The figures beside the invariants that every campaign has, and those that need a sample of some size. */
function note({ figures, lossWindows, startedAt }: Campaign, judgement: Judgement, measured: Measured): void {
  const { jitters, latenessMs, lost, forgotten, late, ended, inDoubt, excused } = measured;
  if (jitters.length >= UNIFORMITY_FROM) {
    const { distance, limit } = uniformity(jitters);
    look(judgement, 'I8', distance < limit, () => `jitter is not uniform: distance ${distance}, limit ${limit}`);
    figures['jitter KS distance'] = Number(distance.toFixed(4));
    figures['jitter KS limit'] = Number(limit.toFixed(4));
    figures['jitters'] = jitters.length;
  }
  if (latenessMs.length > 0) {
    figures['retries late ms p50'] = quantile(latenessMs, 0.5);
    figures['retries late ms p99'] = quantile(latenessMs, 0.99);
  }
  figures['in doubt, % of the ends'] = ended === 0 ? 0 : Number(((inDoubt / ended) * 100).toFixed(2));
  if (late > 0) figures['answers that came when their time was over'] = late;
  if (excused > 0) figures['answers that broke off, and their doubts'] = excused;
  if (lossWindows.length > 0) {
    figures['acknowledged and lost'] = lost;
    figures['sends whose record was lost'] = forgotten;
    figures['of its time, in which something may be lost, %'] =
      Math.round((windowsMs(lossWindows) / (Date.now() - startedAt)) * 1000) / 10;
  }
}

/** With the time in which a worker may send what it had in hand. */
function windowsMs(windows: Campaign['lossWindows']): number {
  let [ms, until] = [0, 0];
  for (const window of windows.toSorted((a, b) => a.from - b.from)) {
    const end = window.until + IN_HAND_MS;
    ms += Math.max(0, end - Math.max(window.from, until));
    until = Math.max(until, end);
  }
  return ms;
}

/** What was tried: the commit, and whether anything differed from it. */
async function checkedOut(): Promise<{ commit: string; dirty?: true }> {
  const git = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)('git', [...args], { cwd: ROOT })).stdout.trim();
  const changed = await git('status', '--porcelain', '--', '.', ':!test/chaos/results', ':!docs').catch(() => '');
  return {
    commit: await git('rev-parse', '--short=10', 'HEAD').catch(() => 'unknown'),
    ...(changed !== '' && { dirty: true as const }),
  };
}

/** How many promises were broken. */
export const violationsOf = (result: Result): number =>
  result.broken.length + Object.values(result.invariants).reduce((sum, { violations }) => sum + violations, 0);

/** What a run is to be ashamed of: a promise that was broken, or a control that lost nothing. */
export function failuresOf(fault: Fault, result: Result): number {
  return fault.usual ? Number(result.invariants.I1.violations === 0) : violationsOf(result);
}
