// Delivered writes leave together: those of one turn of the event loop are settled by one call of one script, which costs
// a worker a tenth less and Redis its own part. Each is settled for itself in it: what one lacks is no other's trouble.

/** Redis does nothing else while a script runs: a fiftieth of a millisecond or two for each. */
const MOST = 50;

interface Leaving {
  facts: readonly string[];
  resolve: (reply: unknown) => void;
  reject: (error: unknown) => void;
}

export class Deliveries {
  readonly #send: (facts: readonly string[]) => Promise<unknown[]>;
  #leaving: Leaving[] = [];

  /** @param send calls the script with what it needs to know of each delivery, one after the other */
  constructor(send: (facts: readonly string[]) => Promise<unknown[]>) {
    this.#send = send;
  }

  /**
   * Settles a delivered write, when this turn of the event loop ends.
   * @returns the script's reply for it
   * @throws what Redis answers where it refuses this one, or all of them
   */
  settle(facts: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#leaving.length === 0) setImmediate(() => this.#leave());
      this.#leaving.push({ facts, resolve, reject });
    });
  }

  #leave(): void {
    const leaving = this.#leaving;
    this.#leaving = [];
    for (let from = 0; from < leaving.length; from += MOST) void this.#settleTogether(leaving.slice(from, from + MOST));
  }

  async #settleTogether(leaving: readonly Leaving[]): Promise<void> {
    try {
      const replies = await this.#send(leaving.flatMap(({ facts }) => facts));
      leaving.forEach(({ resolve, reject }, i) => {
        const reply = replies[i];
        if (typeof reply === 'string') reject(refusalOf(reply));
        else resolve(reply);
      });
    } catch (error) {
      for (const { reject } of leaving) reject(error);
    }
  }
}

/** As the driver makes it of a reply of its own. */
const refusalOf = (text: string): Error => Object.assign(new Error(text), { name: 'ReplyError' });
