// The attempts of one destination that are on their way. They are due in the order in which they started, so that one
// timer does for all of them.
import { DEADLINE } from '../core/outcome.ts';

/** One attempt that is on its way. */
export interface Flight {
  /** On the clock of performance.now(). */
  dueAt: number;
  /** Ends it from outside; gone once it has ended. */
  end: ((code: string) => void) | undefined;
}

export class Flights {
  readonly deadlineMs: number;
  readonly #flights = new Set<Flight>();
  #isWatched = false;

  /** @param deadlineMs how long each attempt may take */
  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  begin(end: (code: string) => void): Flight {
    const flight = { dueAt: performance.now() + this.deadlineMs, end };
    this.#flights.add(flight);
    if (!this.#isWatched) this.#lookAfter(this.deadlineMs);
    return flight;
  }

  over(flight: Flight): void {
    this.#flights.delete(flight);
    // A set's old tables keep what was deleted until a full collection: let it be no more than this object.
    flight.end = undefined;
  }

  endAll(code: string): void {
    for (const { end } of this.#flights) end?.(code);
  }

  #lookAfter(delayMs: number): void {
    this.#isWatched = true;
    // An attempt's own socket keeps the process alive.
    setTimeout(() => this.#endDue(), Math.ceil(delayMs)).unref();
  }

  #endDue(): void {
    this.#isWatched = false;
    for (const flight of this.#flights) {
      const leftMs = flight.dueAt - performance.now();
      if (leftMs > 0) return this.#lookAfter(leftMs);
      flight.end?.(DEADLINE);
    }
  }
}
