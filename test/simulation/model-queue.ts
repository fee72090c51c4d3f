// The queue as the workers know it: a job waits, is delayed, or is active under a lock; what settles it does so in one
// step, and only for the holder of the lock. Dead letters are filed in that step, and acted on by compare-and-set.
import type { Journal } from '../../core/journal.ts';
import type { DeadLetter } from '../../queue/letter.ts';
import type { GenerationTruth } from './truth.ts';

export interface Job {
  /** The idempotency key as well. */
  readonly id: string;
  readonly payload: string;
  state: 'waiting' | 'delayed' | 'active' | 'delivered' | 'dead';
  journal: Journal;
  /** How often it was started, as BullMQ counts. */
  starts: number;
  enqueuedAt: number;
  /** By the clock of the worker that started it last. */
  processedOn: number;
  /** Of the first start that was taken back; the field `wbl`. */
  lostAt: number | undefined;
  expiresAt: number | undefined;
  /** The lock: whose it is, and until when unless it is renewed, in true time. */
  token: number;
  lockUntil: number;
  /** What really happens to this generation. */
  truth: GenerationTruth;
}

export interface Filed {
  readonly letter: DeadLetter;
  readonly job: Job;
  readonly truth: GenerationTruth;
  state: 'open' | 'replayed' | 'discarded';
}

const NOBODY = 0;

export class ModelQueue {
  readonly jobs: Job[] = [];
  readonly letters: Filed[] = [];
  #tokens = NOBODY;

  /** @returns the token of the lock */
  take(job: Job, clock: number): number {
    job.state = 'active';
    job.starts++;
    job.processedOn = clock;
    job.lockUntil = Infinity;
    return (job.token = ++this.#tokens);
  }

  /** From now on nobody renews the lock, which ends at `until`. */
  unrenewed(job: Job, token: number, until: number): void {
    if (job.token === token) job.lockUntil = Math.min(job.lockUntil, until);
  }

  /** A worker that has not lost its lock yet renews it again. */
  renew(job: Job, token: number, now: number): void {
    if (this.holds(job, token, now)) job.lockUntil = Infinity;
  }

  holds(job: Job, token: number, now: number): boolean {
    return job.state === 'active' && job.token === token && now < job.lockUntil;
  }

  /** When the first lost start began; only told to the start that took the job last. */
  lostAt({ lostAt, processedOn }: Job, takenAt: number): number | undefined {
    return processedOn === takenAt ? lostAt : undefined;
  }

  /** The stalled check. @returns whether the job waits again */
  takeBack(job: Job, token: number, now: number): boolean {
    if (job.state !== 'active' || job.token !== token || now < job.lockUntil) return false;
    job.state = 'waiting';
    job.token = NOBODY;
    job.lostAt ??= job.processedOn;
    return true;
  }

  /** A retry or a postponement. @returns false when the lock is lost; nothing is written then */
  delay(job: Job, token: number, now: number, journal: Journal): boolean {
    if (!this.holds(job, token, now)) return false;
    job.state = 'delayed';
    job.token = NOBODY;
    job.journal = journal;
    return true;
  }

  deliver(job: Job, token: number, now: number, journal: Journal): boolean {
    if (!this.holds(job, token, now)) return false;
    job.state = 'delivered';
    job.token = NOBODY;
    job.journal = journal;
    return true;
  }

  /** @returns undefined when the lock is lost; nothing is written then */
  file(job: Job, token: number, now: number, letter: DeadLetter): Filed | undefined {
    if (!this.holds(job, token, now)) return undefined;
    job.state = 'dead';
    job.token = NOBODY;
    const filed: Filed = { letter, job, truth: job.truth, state: 'open' };
    this.letters.push(filed);
    return filed;
  }

  add(
    id: string,
    payload: string,
    now: number,
    expiresAt: number | undefined,
    journal: Journal,
    truth: GenerationTruth,
  ): Job {
    const job: Job = {
      id,
      payload,
      state: 'waiting',
      journal,
      starts: 0,
      enqueuedAt: now,
      processedOn: 0,
      lostAt: undefined,
      expiresAt,
      token: NOBODY,
      lockUntil: 0,
      truth,
    };
    this.jobs.push(job);
    return job;
  }

  /** A replay under the same key: the dead job goes, and is added as its next generation (docs/decisions/0010). */
  again(job: Job, now: number, expiresAt: number | undefined, journal: Journal, truth: GenerationTruth): void {
    const begun = { state: 'waiting', journal, starts: 0, processedOn: 0, enqueuedAt: now, expiresAt, truth };
    Object.assign(job, { ...begun, lostAt: undefined });
  }
}
