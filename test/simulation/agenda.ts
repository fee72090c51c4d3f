// True time, and what happens when: the scheduler of one history.

interface Entry {
  at: number;
  act: () => void;
}

export class Agenda {
  /** True time in epoch ms, which no worker's clock need agree with. */
  now: number;
  readonly #entries: Entry[] = [];

  constructor(now: number) {
    this.now = now;
  }

  after(delayMs: number, act: () => void): void {
    this.#entries.push({ at: this.now + delayMs, act });
  }

  /** Does what is due next. @returns false when nothing is left to do */
  next(): boolean {
    const entries = this.#entries;
    let first = 0;
    for (let i = 1; i < entries.length; i++) {
      if ((entries[i] as Entry).at < (entries[first] as Entry).at) first = i;
    }
    // A handful of entries at a time, in the order in which they were made: a list is faster than a heap.
    const entry = entries[first];
    if (!entry) return false;
    entries.splice(first, 1);
    this.now = entry.at;
    entry.act();
    return true;
  }
}
