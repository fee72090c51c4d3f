// One batch at a time: what comes while one is under way goes together in the next, as databases commit in groups.
import { within } from './within.ts';

/**
 * For a question that holds its connection up: many who ask at once wait for one batch under way and for their own,
 * never for one another.
 */
export class Gathering<Item, Answer> {
  readonly #run: (items: readonly Item[]) => Promise<Answer[]>;
  readonly #limitMs: number;
  #next: { items: Item[]; answers: Promise<Answer[]> } | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  /**
   * @param run answers every item, in its place
   * @param limitMs after it the next batch begins, whatever became of the one before
   */
  constructor(run: (items: readonly Item[]) => Promise<Answer[]>, limitMs: number) {
    this.#run = run;
    this.#limitMs = limitMs;
  }

  /** @throws what the run of its batch throws */
  async add(items: readonly Item[]): Promise<Answer[]> {
    const batch = (this.#next ??= this.#begin());
    const from = batch.items.length;
    for (const item of items) batch.items.push(item);
    return (await batch.answers).slice(from, from + items.length);
  }

  #begin(): { items: Item[]; answers: Promise<Answer[]> } {
    const items: Item[] = [];
    const answers = this.#underWay.then(() => {
      this.#next = undefined;
      const run = this.#run(items);
      this.#underWay = within(this.#limitMs, run).catch(() => {});
      return run;
    });
    return { items, answers };
  }
}
