// A worker's clock while it runs. What is scheduled stands in Redis by the clock of whoever scheduled it, and comes up by the
// clock of whoever fetches: one that is a minute fast sends retries a minute early. So a worker whose clock differs from
// that of Redis by more than is allowed fetches nothing until it agrees again.
//
// A jump is seen at once and without a question: this machine's other clock, which nobody sets, did not jump along. It need
// not be wrong, as after a sleep of the machine; Redis is asked then. What creeps away is found by asking now and then.
import type { Connection } from './connection.ts';
import { clockDifference, serversOf } from './server-facts.ts';
import { MAX_CLOCK_DIFFERENCE_MS } from './server-rules.ts';
import { within } from './within.ts';

export interface Clock {
  /** Costs nothing: asked before every fetch. */
  agrees(): boolean;
  /** How far this clock is ahead of that of Redis where it does not agree, ms; asks where that is not known. */
  aheadMs(): number | Promise<number>;
  stop(): void;
}

export type ClockNews = { kind: 'differs'; aheadMs: number } | { kind: 'agrees' };

const ASK_MS = 10_000;
const ASK_AGAIN_MS = 250;
const ANSWER_WITHIN_MS = 2000;

/**
 * @param connection to a Redis whose clock was found to agree a moment ago
 * @param askMs how often Redis is asked while nothing is wrong
 */
export function watchClock(
  connection: Pick<Connection, 'client' | 'label'>,
  tell: (news: ClockNews) => void,
  askMs = ASK_MS,
): Clock {
  /** `jumped`: Redis was not asked since. */
  let state: 'agrees' | 'jumped' | 'differs' = 'agrees';
  let told: ClockNews['kind'] = 'agrees';
  let between = Date.now() - performance.now();
  let aheadMs = 0;
  let asked: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const ask = async (): Promise<void> => {
    const { client, label } = connection;
    if (client.status !== 'ready') return;
    // Taken before: a jump from here on is seen as one.
    const betweenNow = Date.now() - performance.now();
    const answers = Promise.all(serversOf(client, label).map((one) => clockDifference(one.client)));
    const differences = await within(ANSWER_WITHIN_MS, answers);
    if (!differences || isStopped) return;
    const worst = differences.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most), 0);
    between = betweenNow;
    state = Math.abs(worst) > MAX_CLOCK_DIFFERENCE_MS ? 'differs' : 'agrees';
    aheadMs = state === 'differs' ? worst : 0;
    if (state === told) return;
    told = state;
    tell(state === 'differs' ? { kind: 'differs', aheadMs } : { kind: 'agrees' });
  };
  const askOnce = (): Promise<void> =>
    (asked ??= ask()
      .catch(() => {})
      .finally(() => (asked = undefined)));
  const askLater = (afterMs: number): void => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(
      () => void askOnce().then(() => askLater(state === 'agrees' ? askMs : ASK_AGAIN_MS)),
      afterMs,
    ).unref();
  };
  const agrees = (): boolean => {
    const jump = Date.now() - performance.now() - between;
    if (state === 'agrees' && Math.abs(jump) > MAX_CLOCK_DIFFERENCE_MS) {
      state = 'jumped';
      askLater(0);
    }
    return state === 'agrees';
  };
  askLater(askMs);
  return {
    agrees,
    aheadMs: () => {
      if (agrees()) return 0;
      return state === 'jumped' ? askOnce().then(() => aheadMs) : aheadMs;
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
