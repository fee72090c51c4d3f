// The producer's book: what it meant to add, and what it was told. Nobody kills who keeps it.
import type { Ending, Plan } from './plans.ts';

export interface Entry {
  readonly key: string;
  readonly plan: Plan;
  /** Every end that is right; what operators do to a write may change it. */
  endings: readonly (Ending | 'discarded' | 'moved')[];
  /** It was told that the write is stored. */
  acknowledged: boolean;
  /** Of a double that a person accepted. */
  mayApply: number;
  /** What Redis knew of its sends was taken away by the fault itself. */
  recordLost?: boolean;
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /** Before the add. */
  intend(key: string, plan: Plan): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    const entry: Entry = { key, plan, endings: [plan.ending], acknowledged: false, mayApply: 1 };
    this.#entries.set(key, entry);
    return entry;
  }

  /** After its answer. */
  acknowledge(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) entry.acknowledged = true;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }
}
