// One history: a write is added, and everything happens to it that its seed says, until nothing is left to do.
import { emptyJournal } from '../../core/journal.ts';
import { chance } from '../chaos/chance.ts';
import { Violation } from './invariants.ts';
import type { Rules } from './rules.ts';
import type { Tally } from './tally.ts';
import { START_AT, World } from './world.ts';

/** No history comes near it: one that does will not end. */
const MAX_STEPS = 20_000;

/** The seed of the n-th history of a run; no two are the same. */
export const seedOf = (seed: number, n: number): number => (seed + Math.imul(n, 0x9e3779b1)) >>> 0;

/**
 * Plays one history.
 * @param seed of 32 bits: the same one plays the same history
 * @param tell is given each step, with the seconds since the beginning
 * @returns what did not hold; undefined when everything did
 */
export function play(seed: number, rules: Rules, tally: Tally, tell?: (line: string) => void): string | undefined {
  const world: World = new World(
    rules,
    chance(seed),
    tally,
    tell && ((text) => tell(`${((world.agenda.now - START_AT) / 1000).toFixed(3).padStart(12)} s  ${text}`)),
  );
  tell?.(JSON.stringify(world.profile));
  try {
    world.add(emptyJournal(), world.profile.expiresAt, false);
    for (let steps = 0; world.agenda.next(); steps++) {
      if (steps > MAX_STEPS) throw new Violation(`I1 no end after ${MAX_STEPS} steps`);
    }
    world.witness.ended(world.queue);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    throw error;
  }
}
