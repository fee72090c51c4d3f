// What a run of `waybill enqueue` comes to: the counts, how it ends, and what may be fed again.
import type { Answered, LineAnswer } from './enqueue-answers.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

type Counts = Record<LineAnswer['status'], number>;

export class Tally {
  readonly #counts: Counts = { queued: 0, duplicate: 0, conflict: 0, invalid: 0, refused: 0, unavailable: 0 };
  #notReplicated = 0;
  #twiceIfFedAgain = 0;
  lastLine = 0;

  count({ answer, isTwiceIfFedAgain }: Answered): void {
    this.#counts[answer.status] += 1;
    if (answer.error?.code === 'NOT_REPLICATED') this.#notReplicated += 1;
    if (isTwiceIfFedAgain) this.#twiceIfFedAgain += 1;
    this.lastLine = answer.line;
  }

  told(): string {
    const stored = this.#notReplicated === 0 ? '' : ` (${this.#notReplicated} stored, not replicated)`;
    const each = Object.entries(this.#counts).filter(([, count]) => count > 0);
    return (
      each.map(([status, count]) => `${count} ${status}${status === 'unavailable' ? stored : ''}`).join(', ') ||
      'no lines'
    );
  }

  /** @returns undefined where every line of the input has its answer from Redis */
  whatNext({ isStopped }: { isStopped: boolean }): string | undefined {
    const isOpen = this.#counts.unavailable > 0;
    if (!isStopped && !isOpen) return undefined;
    if (this.#twiceIfFedAgain === 0) return 'Feeding all lines again is safe: what was added is a duplicate then.';
    const how = isStopped ? `Go on after line ${this.lastLine}` : 'Do not feed all lines again';
    const added = isOpen ? 'were added, or may have been,' : 'were added';
    const twice = `${how}: ${this.#twiceIfFedAgain} of the writes that ${added} had no idempotencyKey, and feeding them again would add them again.`;
    if (!isOpen) return twice;
    return `${twice} Feed the lines that were answered unavailable again with the idempotencyKey of their answers.`;
  }

  exitCode(): ExitCode {
    const { refused, unavailable, conflict, invalid } = this.#counts;
    if (refused + unavailable > 0) return EXIT.redis;
    return conflict + invalid > 0 ? EXIT.failed : EXIT.ok;
  }
}
