// The operators' half of our BullMQ backend: replay, discard and restore, and what retention takes away, one script each.
import type { JobJson } from 'bullmq';
import { AddingBackend } from './adding-backend.ts';
import { auditKey, deadQueueName, prefixOf, retentionKey, rowKeys, unsaidKey } from './keys.ts';
import type { LetterClass } from './letter-class.ts';
import { LETTER_PRIORITY } from './letter-job.ts';
import { DISCARD, REPLAY_SCRIPTS, RESTORE } from './scripts/acts.ts';
import type { RetentionOptions } from './retention.ts';
import { PAUSE } from './scripts/pause.ts';
import { SCRUB, TRIM } from './scripts/retention.ts';

/** How a script answered an act. `handled`: the letter is not where the act expects it; nothing was written then. */
export interface Acted {
  /** `busy`: the dead write's key has another life since; `exists`: a job stands under the new key. */
  status: 'done' | 'handled' | 'busy' | 'exists';
  /** The letter's acts, a JSON act a line. */
  acts: string;
}

/** A replay, as far as it is not the job itself. */
export interface ReplayStep {
  letterId: string;
  /** Of the generation that a replay under the same key begins. */
  nextLetterId: string;
  /** The dead write's own job. */
  sourceId: string;
  payloadHash: string;
  /** JSON. */
  journal: string;
  act: string;
  now: number;
}

/** How many went. */
export interface Trims {
  open: number;
  handled: number;
  delivered: number;
}

export class ActingBackend extends AddingBackend {
  /** @param job what goes into the queue: the dead write under its own id, or a new write under a new key */
  async replay(job: JobJson, step: ReplayStep): Promise<Acted> {
    const dead = this.#deadKeys();
    const { letterId, nextLetterId, sourceId, payloadHash, journal, act, now } = step;
    return acted(
      await this.addWrapped(job, {
        scripts: REPLAY_SCRIPTS,
        keys: [
          this.toKey(job.id),
          this.toKey(sourceId),
          this.toKey('failed'),
          dead.letter(letterId),
          dead.letter(nextLetterId),
          rowKeys(this.destination).byTime,
          dead.open,
          dead.replayed,
          auditKey(this.destination),
          rowKeys(this.destination).classes,
        ],
        args: [payloadHash, journal, letterId, sourceId, act, now],
      }),
    );
  }

  /** @param words for BullMQ's tools */
  async discard(letterId: string, act: string, now: number, words: string): Promise<Acted> {
    const keys = [...this.#asideKeys(letterId), auditKey(this.destination)];
    return acted(await this.run(await this.scriptClient(), DISCARD, [...keys, letterId, act, now, words]));
  }

  /** @param into the letter's class */
  async restore(letterId: string, act: string, now: number, into: LetterClass): Promise<Acted> {
    const keys = [...this.#asideKeys(letterId), this.#deadKeys().counter, auditKey(this.destination)];
    const args = [letterId, act, LETTER_PRIORITY, now, into.id, into.facets];
    return acted(await this.run(await this.scriptClient(), RESTORE, [...keys, ...args]));
  }

  /**
   * Pauses the destination, or lets it go on.
   * @returns false when it was so already
   */
  async pauseOrResume(paused: boolean, act: string): Promise<boolean> {
    const args = this.pauseArgs(paused);
    const keys = [...args.slice(0, -2), auditKey(this.destination)];
    const left = (await this.run(await this.scriptClient(), PAUSE, [...keys, ...args.slice(-2), act])) as number;
    // BullMQ's own takes back the rest of a long line, slice by slice.
    if (left > 0) await this.pause(paused);
    return left >= 0;
  }

  /**
   * Takes away what is past its age or count, by the server's clock.
   * @param slice of each, at most
   * @param pauseMs does nothing when the last round is less than this ago; 0 goes on with one
   * @param kept how many open letters this round has passed over so far
   * @returns undefined when it did nothing
   */
  async trim(
    keep: RetentionOptions,
    slice: number,
    pauseMs: number,
    kept: number,
  ): Promise<(Trims & { kept: number; more: boolean }) | undefined> {
    const dead = this.#deadKeys();
    const rows = rowKeys(this.destination);
    const reply = (await this.run(await this.scriptClient(), TRIM, [
      rows.byTime,
      rows.byRequestId,
      auditKey(this.destination),
      retentionKey(this.destination),
      this.toKey('completed'),
      this.toKey('failed'),
      dead.open,
      dead.replayed,
      dead.discarded,
      rows.classes,
      slice,
      this.toKey(''),
      dead.prefix,
      keep.deadMs,
      keep.handledMs,
      keep.deliveredMs,
      keep.auditMs,
      keep.keyTtlMs,
      keep.deadMax,
      pauseMs,
      kept,
    ])) as number[];
    const [open, handled = 0, delivered = 0, passed = 0, more] = reply;
    return open === undefined ? undefined : { open, handled, delivered, kept: passed, more: more === 1 };
  }

  /**
   * Takes away rows and tombstones whose write or letter was removed by hand; a slice of each.
   * @param keyTtlMs how long the API keeps a key: younger tombstones stay
   */
  async scrub(slice: number, keyTtlMs: number): Promise<{ gone: number; through: boolean }> {
    const dead = this.#deadKeys();
    const rows = rowKeys(this.destination);
    const [gone, through] = (await this.run(await this.scriptClient(), SCRUB, [
      rows.byTime,
      rows.byRequestId,
      this.toKey('failed'),
      dead.open,
      unsaidKey(this.destination),
      retentionKey(this.destination),
      rows.classes,
      slice,
      this.toKey(''),
      dead.prefix,
      keyTtlMs,
    ])) as [number, number];
    return { gone, through: through === 1 };
  }

  /** What a letter leaves, and enters, when it is put aside. */
  #asideKeys(letterId: string): string[] {
    const dead = this.#deadKeys();
    const { byTime, classes } = rowKeys(this.destination);
    return [dead.letter(letterId), byTime, classes, dead.open, dead.discarded];
  }

  /** Where the dead letters are, in BullMQ's words: open ones are prioritized, replayed completed, discarded failed. */
  #deadKeys() {
    const prefix = `${prefixOf(this.destination)}:${deadQueueName(this.destination)}:`;
    return {
      prefix,
      letter: (id: string) => prefix + id,
      open: `${prefix}prioritized`,
      replayed: `${prefix}completed`,
      discarded: `${prefix}failed`,
      counter: `${prefix}pc`,
    };
  }
}

function acted(reply: unknown): Acted {
  const [status, acts] = reply as [Acted['status'], string];
  return { status, acts };
}
