// One operation in the hands of one runner: prepared, acted on item by item, followed to its end. All that it knows
// stands in Redis, so that another runner goes on wherever this one was ended.
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { printable } from '../../core/envelope.ts';
import type { LetterCursor } from '../dead-letters.ts';
import { auditKey } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { isAway, isRefusal } from '../unavailable.ts';
import { operationAct } from './control.ts';
import { lookAtEnds } from './follow.ts';
import { actOnItem, type ItemOutcome } from './item.ts';
import { indexKeys, operationKeys } from './keys.ts';
import { pageOfMeant } from './meant.ts';
import { readStanding, type Standing, underwayOf } from './read.ts';
import { characterOf } from './results.ts';
import { ADVANCE, FOLLOW, LEASE, PREPARE, RELEASE, RENEW, REST, run } from './scripts.ts';
import { isTooMany } from './steps.ts';
import { endStep, type Held, pausedItself, stopForDead, stopForRefusals } from './turn.ts';

export interface Driving {
  reader: Reader;
  /** Between two looks at what changes by itself. */
  intervalMs: number;
  /** A runner that was not heard of for so long has lost its operation to another. */
  leaseMs: number;
  /** How long the writes of a step are waited for. */
  stepWaitMs: number;
  onError: (error: Error) => void;
  stopped: AbortSignal;
}

/** How long the ends of replayed writes are awaited after the last thing was done. */
const FOLLOW_MS = 24 * 3_600_000;
/** Of an error that is not Redis' absence; then the item has failed. */
const TRIES = 3;
/** Items in a row that Redis refused: it would refuse the rest too. */
const MAX_REFUSALS = 3;
const BACK_OFF_MAX_MS = 5000;
const MAX_MESSAGE = 500;

interface Pending extends ItemOutcome {
  index: number;
}

/** Takes an operation, unless another runner has it, and stays with it until nothing is left to do. */
export async function drive(driving: Driving, destination: string, id: string): Promise<void> {
  const held = new Drive(driving, destination, id);
  if (!(await held.take())) return;
  try {
    await held.untilNothingIsLeft();
  } finally {
    await held.release();
  }
}

class Drive {
  readonly #driving: Driving;
  readonly #destination: string;
  readonly #id: string;
  readonly #token = randomUUID();
  #spec: Standing['spec'] | undefined;
  /** What was done, and is not recorded yet. */
  #pending: Pending | undefined;
  #tried = { index: -1, times: 0 };
  /** Of the last items in a row, and what Redis said to the last of them. */
  #refusals = { count: 0, said: '' };
  /** When the ends of replayed writes are looked at next, by performance.now(), and from which item on. */
  #lookAt = 0;
  #lookFrom = 0;

  constructor(driving: Driving, destination: string, id: string) {
    this.#driving = driving;
    this.#destination = destination;
    this.#id = id;
  }

  get #keys() {
    return { ...operationKeys(this.#destination, this.#id), ...indexKeys(this.#destination) };
  }

  #run(script: typeof ADVANCE, keys: string[], args: (string | number)[]): Promise<unknown> {
    return run(this.#driving.reader.client, script, keys, args);
  }

  async take(): Promise<boolean> {
    const { lease, live } = this.#keys;
    return (await this.#run(LEASE, [lease, live], [this.#id, this.#token, this.#driving.leaseMs])) === 1;
  }

  async release(): Promise<void> {
    await this.#run(RELEASE, [this.#keys.lease], [this.#token]).catch(() => {});
  }

  async untilNothingIsLeft(): Promise<void> {
    let outage = 0;
    for (;;) {
      try {
        if (await this.#turn()) return;
        outage = 0;
      } catch (error) {
        if (this.#driving.stopped.aborted) return;
        // Of one outage one word.
        if (outage === 0) this.#driving.onError(error as Error);
        outage += 1;
        await this.#nap(Math.min(this.#driving.intervalMs * 2 ** Math.min(outage, 10), BACK_OFF_MAX_MS));
      }
    }
  }

  /** @returns true when there is nothing more to do for this runner */
  async #turn(): Promise<boolean> {
    const { stopped, leaseMs } = this.#driving;
    if (stopped.aborted && !this.#pending) return true;
    if ((await this.#look()) === 'gone') return true;
    const askedAt = performance.now();
    const [what, first, letter] = await this.#advance();
    if (stopped.aborted) return true;
    switch (what) {
      case 'item':
        // Held up for long: it may be another's by now, paused or cancelled.
        if (performance.now() - askedAt > leaseMs) return false;
        if (this.#refusals.count >= MAX_REFUSALS) {
          await stopForRefusals(this.#held, this.#refusals);
          this.#refusals = { count: 0, said: '' };
          return false;
        }
        await this.#act(Number(first), letter ?? '');
        return false;
      case 'wait':
        await this.#nap(Math.min(Number(first), this.#driving.intervalMs));
        return false;
      case 'step':
        if ((await endStep(this.#held, this.#driving.stepWaitMs)) === 'waits') {
          this.#lookAt = 0;
          await this.#nap(this.#driving.intervalMs);
        }
        return false;
      case 'preparing':
        await this.#prepare();
        return false;
      case 'paused':
      case 'cancelled':
      case 'done':
        return this.#rest(what === 'paused');
      default:
        return true;
    }
  }

  /** Looks at what became of the replayed writes, now and then; stops the operation where too many are dead again. */
  async #look(): Promise<'gone' | undefined> {
    if (this.#spec && (this.#spec.act !== 'replay' || performance.now() < this.#lookAt)) return undefined;
    const { reader, intervalMs, leaseMs } = this.#driving;
    let standing = await readStanding(reader, this.#destination, this.#id);
    if (!standing) return 'gone';
    this.#spec = standing.spec;
    if (underwayOf(standing) > 0) {
      const { ended, next } = await lookAtEnds(reader, this.#destination, this.#id, this.#lookFrom);
      this.#lookFrom = next;
      if (ended.length > 0) {
        const { operation, marks, lease, results, codes } = this.#keys;
        const told = ended.flatMap(({ index, character, code }) => [index, character, code]);
        await this.#run(FOLLOW, [operation, marks, lease, results, codes], [...this.#leased, ...told]);
        standing = await readStanding(reader, this.#destination, this.#id);
        if (!standing) return 'gone';
        if (standing.state === 'running' && isTooMany(standing, false)) await stopForDead(this.#held, standing);
      }
    }
    // More of them stand behind this batch; or the ends of those that have not ended for long are looked at less often.
    const sinceMs = Math.max(0, (await reader.now()) - standing.lastAt);
    const pauseMs = this.#lookFrom > 0 ? intervalMs / 10 : Math.min(Math.max(intervalMs, sinceMs / 50), leaseMs / 3);
    this.#lookAt = performance.now() + pauseMs;
    return undefined;
  }

  get #leased(): [string, string, number] {
    return [this.#id, this.#token, this.#driving.leaseMs];
  }

  get #held(): Held {
    const { reader, leaseMs } = this.#driving;
    return { reader, destination: this.#destination, id: this.#id, token: this.#token, leaseMs };
  }

  async #advance(): Promise<[what: string, first?: number, letter?: string]> {
    const spec = this.#spec as Standing['spec'];
    const { operation, marks, lease, items, results, details } = this.#keys;
    const pending = this.#pending;
    const ended = operationAct(spec, 'operation-done', 0, spec, 0);
    const recorded = pending
      ? [
          pending.index,
          characterOf(pending.result, spec.act === 'replay'),
          JSON.stringify(pending.detail),
          pending.result,
        ]
      : ['', '', '', ''];
    const answer = (await this.#run(
      ADVANCE,
      [operation, marks, lease, items, results, details, auditKey(this.#destination)],
      [...this.#leased, 1000 / spec.rate, ...recorded, JSON.stringify(ended)],
    )) as [string, number?, string?];
    this.#pending = undefined;
    return answer;
  }

  async #act(index: number, letter: string): Promise<void> {
    const { reader } = this.#driving;
    const spec = this.#spec as Standing['spec'];
    try {
      const { result, detail } = await actOnItem(reader, spec, index, letter);
      this.#pending = { index, result, detail: { ...detail, at: detail.at ?? (await reader.now()) } };
      this.#refusals = { count: 0, said: '' };
    } catch (error) {
      if (isAway(error)) throw error;
      // While Redis answers, the fault is the item's.
      const at = await reader.now();
      this.#tried = { index, times: this.#tried.index === index ? this.#tried.times + 1 : 1 };
      if (this.#tried.times < TRIES) throw error;
      const message = printable(error instanceof Error ? error.message : String(error), MAX_MESSAGE);
      this.#pending = { index, result: 'failed', detail: { message: `${message} (tried ${TRIES} times)`, at } };
      this.#refusals = isRefusal(error) ? { count: this.#refusals.count + 1, said: message } : { count: 0, said: '' };
      this.#driving.onError(error as Error);
    }
  }

  /** Writes down which letters are meant. What another runner had written down is done anew. */
  async #prepare(): Promise<void> {
    const { reader, stopped } = this.#driving;
    const { act, filter = {} } = this.#spec as Standing['spec'];
    const { operation, marks, lease, items } = this.#keys;
    const keys = [operation, marks, lease, items, auditKey(this.#destination)];
    let after: LetterCursor | undefined;
    let offset = 0;
    do {
      const page = await this.#holding(() =>
        pageOfMeant(reader, { act, destination: this.#destination, filter }, after),
      );
      after = page.next;
      const ids = page.letters.map(({ id }) => id);
      const end = after ? [0, '', ''] : [1, ...(await this.#judgeTotal(offset + ids.length))];
      if ((await this.#run(PREPARE, keys, [...this.#leased, offset, ...end, ...ids])) !== 'on') return;
      offset += ids.length;
    } while (after && !stopped.aborted);
  }

  /** Somebody has agreed to a number: letters that were restored since are not acted upon unseen. */
  async #judgeTotal(meant: number): Promise<[words: string, entry: string]> {
    const { reader } = this.#driving;
    const standing = await readStanding(reader, this.#destination, this.#id);
    if (!standing || meant <= standing.total) return ['', ''];
    const words = `${meant} letters are meant by now, and ${standing.total} were when it was created: resumed, it acts on all of them`;
    return [words, JSON.stringify(pausedItself(standing.spec, await reader.now(), words, 0))];
  }

  /** Reading may take longer than the lease lasts. */
  async #holding<T>(work: () => Promise<T>): Promise<T> {
    const { leaseMs } = this.#driving;
    const renew = (): void => void this.#run(RENEW, [this.#keys.lease], [this.#token, leaseMs]).catch(() => {});
    const timer = setInterval(renew, leaseMs / 3);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  /** @returns true when no end is awaited any more */
  async #rest(mayGoOn: boolean): Promise<boolean> {
    const { reader, intervalMs, leaseMs } = this.#driving;
    const standing = await readStanding(reader, this.#destination, this.#id);
    if (!standing) return true;
    const isOver = underwayOf(standing) === 0 || (await reader.now()) - standing.lastAt > FOLLOW_MS;
    const { operation, marks, lease, live } = this.#keys;
    if (isOver) return (await this.#run(REST, [operation, marks, lease, live], [this.#id, this.#token])) === 1;
    await this.#nap(
      mayGoOn ? intervalMs : Math.min(Math.max(intervalMs, this.#lookAt - performance.now()), leaseMs / 3),
    );
    return false;
  }

  async #nap(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#driving.stopped }).catch(() => {});
  }
}
