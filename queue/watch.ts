// Liveness is consumption (docs/observability.md): BullMQ workers have sat connected and fetched nothing. This watches that
// every consumer's loop comes round, and starts those afresh that do not. While Redis itself gives no answer nothing is
// judged: starting anything again would help nobody.
import type { Connection } from './connection.ts';
import type { Consumer } from './consumer.ts';
import { prefixOf } from './keys.ts';
import { isAway } from './unavailable.ts';
import { within } from './within.ts';

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

export type RedisAnswer = 'answers' | 'refuses' | 'is silent';

/**
 * What Redis says within limitMs: it answers, it is there and cannot serve, or it says nothing.
 * @param destination asks the node of a Cluster that holds it
 */
export async function answerOf({ client }: Connection, limitMs: number, destination?: string): Promise<RedisAnswer> {
  if (client.status !== 'ready') return 'is silent';
  const question = destination === undefined ? client.ping() : client.exists(`${prefixOf(destination)}:meta`);
  const answer = question.then(
    (): RedisAnswer => 'answers',
    (error: Error): RedisAnswer => {
      if (isAway(error)) return 'refuses';
      // A user who may not ask has been answered.
      return error.name === 'ReplyError' ? 'answers' : 'is silent';
    },
  );
  return (await within(limitMs, answer)) ?? 'is silent';
}

export function watchConsumers({ connection, consumers, fetchWithinMs, tell }: WatchOptions): Watch {
  const lookMs = Math.min(fetchWithinMs / LOOKS_WITHIN, MAX_LOOK_MS);
  /** What was found wrong, and the moment before which nothing is held against it any more. */
  const records = new Map<Consumer, { from: number; wrong?: 'stalled' | 'stuck' }>();
  /** Overdue at the last look already, while Redis answered: it may have come back just then. */
  let suspects = new Set<Consumer>();

  const excuse = (some: readonly Consumer[]): void => {
    for (const consumer of some) records.set(consumer, { from: performance.now() });
  };
  excuse(consumers);
  const idleMs = ({ turnedAt }: Consumer): number => performance.now() - turnedAt;
  const stateOf = (consumer: Consumer): ConsumerHealth['state'] => {
    const { from = 0, wrong = 'consuming' } = records.get(consumer) ?? {};
    return from > consumer.turnedAt ? wrong : 'consuming';
  };
  const overdue = (consumer: Consumer): boolean =>
    Math.min(idleMs(consumer), performance.now() - (records.get(consumer)?.from ?? 0)) > consumer.turnsWithinMs;
  /** A client that the caller made is the caller's to repair, and a Cluster looks after its nodes itself. */
  const reconnect = (): void => {
    if (!connection.owned || connection.client.isCluster) return;
    tell({ kind: 'reconnected' });
    connection.client.disconnect(true);
  };

  const look = async (): Promise<void> => {
    if (connection.client.status !== 'ready') {
      excuse(consumers);
      suspects.clear();
      return;
    }
    for (const consumer of consumers) {
      if (!records.get(consumer)?.wrong || stateOf(consumer) !== 'consuming') continue;
      excuse([consumer]);
      tell({ kind: 'consuming', destination: consumer.destination });
    }
    const late = consumers.filter(overdue);
    const withinMs = Math.min(ANSWER_WITHIN_MS, fetchWithinMs);
    const heard = await Promise.all(late.map(({ destination }) => answerOf(connection, withinMs, destination)));
    if (stopped) return;
    const stillLate = late.filter((consumer, i) => heard[i] === 'answers' && overdue(consumer));
    stillLate.filter((consumer) => suspects.has(consumer)).forEach(condemn);
    suspects = new Set(stillLate);
    excuse(late.filter((_, i) => heard[i] !== 'answers'));
    if (heard.includes('is silent')) reconnect();
  };

  const condemn = (consumer: Consumer): void => {
    const { destination } = consumer;
    const news = { destination, idleMs: Math.round(idleMs(consumer)) };
    const toldBefore = stateOf(consumer) === 'stuck';
    if (consumer.hasRoom) {
      consumer.renew();
      records.set(consumer, { from: performance.now(), wrong: 'stalled' });
      tell({ kind: 'renewed', ...news });
    } else {
      records.set(consumer, { from: performance.now(), wrong: 'stuck' });
      if (!toldBefore) tell({ kind: 'stuck', ...news });
    }
  };

  let lookedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const lookLater = (): void => {
    timer = setTimeout(() => {
      // The process itself stood still: its loops had no chance to come round.
      if (performance.now() - lookedAt > lookMs + fetchWithinMs / 2) excuse(consumers);
      void look()
        .catch(() => {})
        .then(() => {
          lookedAt = performance.now();
          if (!stopped) lookLater();
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
      stopped = true;
      clearTimeout(timer);
    },
  };
}
