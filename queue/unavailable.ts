// Redis away: an answer within a fixed time, whatever the driver waits for. Left to itself it waits without an end where
// Redis was not there from the start, and no option of BullMQ's or its own bounds that.
import { WaybillError } from '../core/errors.ts';
import { type Connection, innermost } from './connection.ts';

/** Redis answers with one of these while it is away in all but name. */
const AWAY = /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|TRYAGAIN|UNBLOCKED|BUSY|NOREPLICAS)\b/;
/** And with these while it cannot write. */
const CANNOT_WRITE = /^(OOM|MISCONF)\b/;

/** Whether an error is a reply that may be another in a moment: a failover, memory that comes free. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return AWAY.test(error.message) || CANNOT_WRITE.test(error.message);
}

/** Whether an error is a reply that stays as it is: a permission, a type, a password. Asking again changes nothing. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError' && !isAway(error);
}

/**
 * Runs a task when the client is ready, and gives up after limitMs.
 * @throws Error 'no answer within … ms', or what the task throws
 */
export async function answerWithin<T>(limitMs: number, connection: Connection, task: () => Promise<T>): Promise<T> {
  const { client, owned } = connection;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // A connection that swallows commands is replaced, so that the next add has a chance.
      const connected = client.status === 'ready';
      if (owned && connected) client.disconnect(true);
      const why = connected || connection.trouble === undefined ? '' : `${connection.trouble}; `;
      reject(new Error(`${why}no answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([
      whenReady(connection)
        .then(() => inDatabase(connection))
        .then(task),
      limit,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Redis is there, and will not have us: waiting changes nothing. */
const ACCESS = /^(NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password)/;

class RefusedError extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'ReplyError';
  }
}

const noAccess = (error: Error): RefusedError =>
  new RefusedError(
    /sentinel/i.test(error.message)
      ? 'its Sentinels want another password; give it in REDIS_SENTINEL_PASSWORD'
      : 'it wants another user or password; give them in REDIS_URL, or the password in REDIS_PASSWORD',
  );

const selected = new WeakSet<object>();

/** A driver whose SELECT was refused goes on in database 0, without a word: once for each client, this is asked again. */
async function inDatabase({ client }: Connection): Promise<void> {
  const { db = 0 } = client.options as { db?: number };
  if (db === 0 || client.isCluster || selected.has(client)) return;
  await client.select(db).catch((error: Error) => {
    const words = error.message.slice(0, 100);
    throw error.name === 'ReplyError' ? new RefusedError(`it does not give us its database ${db} (${words})`) : error;
  });
  selected.add(client);
}

const waiting = new WeakMap<object, Promise<void>>();

/** One listener however many adds wait for it. */
function whenReady({ client }: Connection): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  let ready = waiting.get(client);
  if (!ready) {
    ready = new Promise<void>((resolve, reject) => {
      const refused = (error: Error): void => {
        if (!ACCESS.test(innermost(error))) return;
        reject(noAccess(error));
        settle();
      };
      const settle = (): void => {
        waiting.delete(client);
        client.off('ready', settle);
        client.off('error', refused);
        resolve();
      };
      client.on('ready', settle);
      client.on('error', refused);
    });
    ready.catch(() => {});
    waiting.set(client, ready);
    if (client.status === 'wait') void client.connect().catch(() => {});
  }
  return ready;
}

/** What a program that cannot do without Redis says. */
export function unreachable(label: string, cause: unknown): WaybillError {
  const said = cause instanceof Error ? cause.message.slice(0, 200) : 'no answer';
  if (cause instanceof RefusedError) {
    return new WaybillError('QUEUE_REFUSED', `Redis at ${label} refuses us: ${said}.`);
  }
  return new WaybillError(
    'QUEUE_UNAVAILABLE',
    `Redis at ${label} cannot be reached (${said}). Start it, or set REDIS_URL.`,
  );
}

/** What an add() that Redis did not answer, or refused, throws. */
export function unavailable(label: string, key: string, cause?: Error): WaybillError {
  const said = cause?.message ?? 'no answer';
  if (cause?.name === 'ReplyError' && !AWAY.test(said)) {
    return queueRefused(label, `the write ${JSON.stringify(key)}`, said);
  }
  // Its cause is told in words only: an ioredis error may carry the command's arguments.
  const message = `Redis at ${label} gave no answer for the write ${JSON.stringify(key)} (${said.slice(0, 200)}). It may have been stored: add it again with the same idempotencyKey.`;
  return new WaybillError('QUEUE_UNAVAILABLE', message);
}

/** The reply's own words name no key and no argument for these (OOM, NOPERM, MISCONF, NOSCRIPT …). */
export function queueRefused(label: string, what: string, said: string): WaybillError {
  const message = `Redis at ${label} refused ${what}: ${said.split('\n', 1)[0]?.slice(0, 200)}`;
  return new WaybillError('QUEUE_REFUSED', message);
}
