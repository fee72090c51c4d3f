// One batch at a time: what comes while one is under way goes together in the next, as databases commit in groups.
import { within } from './within.ts';

/** Thrown for a batch that was never run. */
export class NotBegunError extends Error {
  override readonly name = 'NotBegunError';
}

interface Batch<Item, Answer> {
  items: Item[];
  answers: Promise<Answer[]>;
}

/**
 * For a question that holds its connection up: many who ask at once wait for one batch under way and for their own,
 * never for one another.
 */
export class Gathering<Item, Answer> {
  readonly #run: (items: readonly Item[]) => Promise<Answer[]>;
  readonly #limitMs: number;
  readonly #beginWithinMs: number;
  readonly #most: number;
  /** What may still be joined. */
  #next: Batch<Item, Answer> | undefined;
  /** The last of those that were begun or wait for their turn; it ends, and never fails. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param run answers every item, in its place
   * @param limitMs after it the next batch begins, whatever became of the one before
   * @param beginWithinMs a batch whose turn comes later than this is not run: nobody waits for its answers any more
   * @param most items in a batch, but for those of one add(), which stay together
   */
  constructor(
    run: (items: readonly Item[]) => Promise<Answer[]>,
    limitMs: number,
    beginWithinMs: number,
    most: number,
  ) {
    this.#run = run;
    this.#limitMs = limitMs;
    this.#beginWithinMs = beginWithinMs;
    this.#most = most;
  }

  /** @throws NotBegunError for a batch whose turn came too late, or what the run of its batch throws */
  async add(items: readonly Item[]): Promise<Answer[]> {
    const hasRoom = this.#next !== undefined && this.#next.items.length + items.length <= this.#most;
    const batch = this.#next && hasRoom ? this.#next : this.#begin();
    const from = batch.items.length;
    for (const item of items) batch.items.push(item);
    return (await batch.answers).slice(from, from + items.length);
  }

  #begin(): Batch<Item, Answer> {
    const askedAt = performance.now();
    const items: Item[] = [];
    const turn = this.#last;
    const answers = turn.then(() => {
      if (this.#next === batch) this.#next = undefined;
      if (performance.now() - askedAt > this.#beginWithinMs) {
        throw new NotBegunError('those that were added before it took all of its time');
      }
      return this.#run(items);
    });
    const batch = { items, answers };
    this.#last = turn.then(() => within(this.#limitMs, answers)).catch(() => {});
    this.#next = batch;
    return batch;
  }
}
