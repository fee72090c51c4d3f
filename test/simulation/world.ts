// All that takes part in one history.
import type { Journal } from '../../core/journal.ts';
import type { Chance } from '../chaos/chance.ts';
import { Agenda } from './agenda.ts';
import { ModelApi } from './model-api.ts';
import { type Job, ModelQueue } from './model-queue.ts';
import { drawProfile, type Profile } from './profile.ts';
import type { Rules } from './rules.ts';
import type { Tally } from './tally.ts';
import { Witness } from './invariants.ts';
import { takeLater } from './model-worker.ts';
import { newGeneration, newLife } from './truth.ts';

/** Small, so that times stay whole numbers that the engine is quick with. */
export const START_AT = 100_000_000;

/** Told of each step, with the true time since the history's beginning; missing where nobody reads it. */
export type Say = (text: string) => void;

export class World {
  readonly rules: Rules;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly profile: Profile;
  readonly agenda = new Agenda(START_AT);
  readonly queue = new ModelQueue();
  readonly witness: Witness;
  readonly api: ModelApi;
  readonly say: Say | undefined;
  faultsLeft: number;
  actsLeft: number;

  constructor(rules: Rules, chance: Chance, tally: Tally, say?: Say) {
    this.rules = rules;
    this.chance = chance;
    this.tally = tally;
    this.say = say;
    this.profile = drawProfile(chance, START_AT);
    this.faultsLeft = this.profile.faults;
    this.actsLeft = this.profile.acts;
    this.witness = new Witness(this.profile, this.agenda);
    this.api = new ModelApi(this);
  }

  /** Adds the write, or what a replay under a new key makes of it. */
  add(journal: Journal, expiresAt: number | undefined, accepted: boolean): void {
    const id = `key${this.queue.jobs.length}`;
    const payload = `payload ${this.queue.jobs.length}`;
    const truth = newGeneration(journal.generation, newLife(id, accepted));
    takeLater(this, this.queue.add(id, payload, this.agenda.now, expiresAt, journal, truth));
  }

  /** Draws whether the network or the API fails this time. */
  inTrouble(): boolean {
    if (this.faultsLeft === 0 || this.chance.next() >= this.profile.trouble) return false;
    this.faultsLeft--;
    return true;
  }

  /** How long a write that is due waits for a worker: mostly not, sometimes behind a long backlog. */
  drawLag(): number {
    const drawn = this.chance.next();
    if (drawn < 0.8 || this.faultsLeft === 0) return Math.floor(drawn * 50);
    if (drawn < 0.95) return this.chance.between(0, 5000);
    return this.chance.between(0, Math.floor(this.profile.policy.keyTtlMs * 1.2));
  }

  /** Deadlines on a worker's clock come this much later in true time. */
  untilDue(dueAt: number, clockMs: number): number {
    return Math.max(0, dueAt - clockMs - this.agenda.now);
  }

  describe(job: Job): string {
    return `${job.id} generation ${job.truth.number}`;
  }
}
