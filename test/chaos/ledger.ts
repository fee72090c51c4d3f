// The producer's book: what it meant to add, and what it was told. Nobody kills who keeps it.
import type { WriteInput } from '../../producer/index.ts';
import type { Ending, Plan } from './plans.ts';

/** A write as it has to go out. */
export type Payload = Pick<WriteInput, 'method' | 'path' | 'body'>;

export interface Entry {
  readonly key: string;
  readonly plan: Plan;
  /** What was added, where that is not the write of its plan. */
  readonly payload?: Payload;
  /** Every end that is right; what operators do to a write may change it. */
  endings: readonly (Ending | 'discarded' | 'moved')[];
  /** It was told that the write is stored. */
  acknowledged: boolean;
  /** When it was told so, each time that it asked; epoch ms. */
  readonly acknowledgedAt: readonly number[];
  /** Of a double that a person accepted. */
  mayApply: number;
  /** A person accepted that it may be applied twice: its doubt stays. */
  doubtAccepted?: boolean;
  /** What Redis knew of its sends was taken away by the fault itself. */
  recordLost?: boolean;
  /** Its write was, so that it may be dead as none. */
  writeLost?: boolean;
}

export class Ledger {
  readonly #entries = new Map<string, Entry & { acknowledgedAt: number[] }>();

  /** Before the add. @param payload what is added, where that is not the write of its plan */
  intend(key: string, plan: Plan, payload?: Payload): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    const entry = {
      key,
      plan,
      ...(payload && { payload }),
      endings: [plan.ending],
      acknowledged: false,
      acknowledgedAt: [],
      mayApply: 1,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** After its answer. @param at epoch ms */
  acknowledge(key: string, at = Date.now()): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.acknowledged = true;
    entry.acknowledgedAt.push(at);
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
