// Liveness is consumption (DESIGN decision 15): BullMQ workers have sat connected and fetched nothing. This watches that
// every consumer's loop comes round, and starts those afresh that do not. While Redis itself gives no answer nothing is
// judged: starting anything again would help nobody.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import type { Consumer } from './consumer.ts';

export type WatchNews =
  /** Started afresh: it could take a write and asked for none. */
  | { kind: 'renewed'; destination: string; idleMs: number }
  /** Every slot is taken by a write that should have ended long ago: only a new process helps. */
  | { kind: 'stuck'; destination: string; idleMs: number }
  | { kind: 'consuming'; destination: string }
  /** The shared connection gave no answer; it is made anew. */
  | { kind: 'reconnected' };

export interface ConsumerHealth {
  destination: string;
  /** `stalled`: started afresh, and no fetch since; `stuck`: as above. */
  state: 'consuming' | 'stalled' | 'stuck';
  /** Since its loop last came round. */
  idleMs: number;
  inFlight: number;
}

export interface Watch {
  consumers(): ConsumerHealth[];
  stop(): void;
}

export interface WatchOptions {
  connection: Connection;
  consumers: readonly Consumer[];
  fetchWithinMs: number;
  tell: (news: WatchNews) => void;
}

const LOOKS_WITHIN = 6;
const MAX_LOOK_MS = 2000;
const ANSWER_WITHIN_MS = 5000;

/** Whether Redis answers on this connection within limitMs. */
export async function answers({ client }: Connection, limitMs: number): Promise<boolean> {
  if (client.status !== 'ready') return false;
  const over = new AbortController();
  const ping = client.ping().then(
    () => true,
    () => false,
  );
  const late = sleep(limitMs, false, { signal: over.signal }).catch(() => false);
  const answered = await Promise.race([ping, late]);
  over.abort();
  return answered;
}

export function watchConsumers({ connection, consumers, fetchWithinMs, tell }: WatchOptions): Watch {
  const lookMs = Math.min(fetchWithinMs / LOOKS_WITHIN, MAX_LOOK_MS);
  /** What was found wrong, and when. */
  const found = new Map<Consumer, { state: 'stalled' | 'stuck'; at: number }>();
  /** Nothing before this moment is held against a consumer. */
  let since = performance.now();
  /** Since when the connection is open, but not ready. */
  let shakingHandsAt: number | undefined;

  const idleMs = ({ turnedAt }: Consumer): number => performance.now() - turnedAt;
  const stateOf = (consumer: Consumer): ConsumerHealth['state'] => {
    const wrong = found.get(consumer);
    return wrong && wrong.at > consumer.turnedAt ? wrong.state : 'consuming';
  };
  const overdue = (consumer: Consumer): boolean =>
    performance.now() - Math.max(consumer.turnedAt, since, found.get(consumer)?.at ?? 0) > consumer.turnsWithinMs;
  const beginAgain = (): void => {
    since = performance.now();
    found.clear();
  };
  /** A client that the caller made is the caller's to repair. */
  const reconnect = (): void => {
    if (!connection.owned) return;
    tell({ kind: 'reconnected' });
    connection.client.disconnect(true);
  };

  const look = async (): Promise<void> => {
    const { status } = connection.client;
    if (status !== 'ready') {
      beginAgain();
      if (status !== 'connect') shakingHandsAt = undefined;
      else shakingHandsAt ??= since;
      // Nobody else waits for this handshake with a limit.
      if (shakingHandsAt === undefined || since - shakingHandsAt < fetchWithinMs) return;
      shakingHandsAt = undefined;
      return reconnect();
    }
    for (const consumer of found.keys()) {
      if (stateOf(consumer) !== 'consuming') continue;
      found.delete(consumer);
      tell({ kind: 'consuming', destination: consumer.destination });
    }
    if (!consumers.some(overdue)) return;
    if (await answers(connection, Math.min(ANSWER_WITHIN_MS, fetchWithinMs))) {
      for (const consumer of consumers) if (overdue(consumer)) condemn(consumer);
    } else {
      beginAgain();
      reconnect();
    }
  };

  const condemn = (consumer: Consumer): void => {
    const { destination } = consumer;
    const news = { destination, idleMs: Math.round(idleMs(consumer)) };
    const toldBefore = stateOf(consumer) === 'stuck';
    if (consumer.hasRoom) {
      consumer.renew();
      found.set(consumer, { state: 'stalled', at: performance.now() });
      tell({ kind: 'renewed', ...news });
    } else {
      found.set(consumer, { state: 'stuck', at: performance.now() });
      if (!toldBefore) tell({ kind: 'stuck', ...news });
    }
  };

  let lookedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const lookLater = (): void => {
    timer = setTimeout(() => {
      // The process itself stood still: its loops had no chance to come round.
      if (performance.now() - lookedAt > lookMs + fetchWithinMs / 2) beginAgain();
      void look()
        .catch(() => {})
        .then(() => {
          lookedAt = performance.now();
          if (timer) lookLater();
        });
    }, lookMs).unref();
  };
  lookLater();
  return {
    consumers: () =>
      consumers.map((consumer) => ({
        destination: consumer.destination,
        state: stateOf(consumer),
        idleMs: Math.round(idleMs(consumer)),
        inFlight: consumer.inFlight,
      })),
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
