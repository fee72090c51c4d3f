// What leaves a worker's hands leaves together: what one turn of the event loop settles is one call of one script, which
// takes a quarter of a worker's time away, and a tenth of Redis'. Each is settled for itself in it: what is wrong with one
// is no other's trouble.
import type { Step } from './scripts/settle.ts';

/** Redis does nothing else while a script runs: for two milliseconds at the most. */
const MOST = 50;

interface Leaving {
  args: readonly string[];
  resolve: (reply: unknown) => void;
  reject: (error: unknown) => void;
}

export class LeavingTogether {
  readonly #send: (args: readonly string[]) => Promise<unknown[]>;
  #leaving: Leaving[] = [];

  /** @param send calls the script with each step and its facts, one after the other */
  constructor(send: (args: readonly string[]) => Promise<unknown[]>) {
    this.#send = send;
  }

  /**
   * Settles one write, when this turn of the event loop ends.
   * @param facts as scripts/settle.ts wants them for this step
   * @returns the script's reply for it
   * @throws what Redis answers where it refuses this one, or all of them
   */
  settle(step: Step, facts: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#leaving.length === 0) setImmediate(() => this.#leave());
      this.#leaving.push({ args: [step, ...facts], resolve, reject });
      if (this.#leaving.length === MOST) this.#leave();
    });
  }

  #leave(): void {
    const leaving = this.#leaving;
    this.#leaving = [];
    if (leaving.length > 0) void this.#settleTogether(leaving);
  }

  async #settleTogether(leaving: readonly Leaving[]): Promise<void> {
    try {
      const replies = await this.#send(leaving.flatMap(({ args }) => args));
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
