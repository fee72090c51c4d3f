// Short questions to a redis-server on loopback: who are you, are you ready, please end. One connection for each.
import { Redis } from 'ioredis';

const ANSWER_LIMIT_MS = 1_000;

/** The process id and the data folder of the server on that port; rejects when nothing answers there in time. */
export function identify(port: number): Promise<{ pid: number; dir: string }> {
  return inquire(port, async (redis) => {
    const info = await redis.info('server');
    const [, dir] = await redis.config('GET', 'dir');
    return { pid: Number(/^process_id:(\d+)/m.exec(info)?.[1]), dir: dir ?? '' };
  });
}

/** Rejects as long as the server loads its data (LOADING) or is not there. */
export function ping(port: number): Promise<string> {
  return inquire(port, (redis) => redis.ping());
}

/** Ends the server; the append-only file is written out first. It answers by closing the connection. */
export function shutDown(port: number): Promise<unknown> {
  return inquire(port, (redis) => redis.shutdown()).catch(() => {});
}

async function inquire<T>(port: number, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false, // a loading server may say who it is
    disableClientInfo: true,
    retryStrategy: null,
    connectTimeout: ANSWER_LIMIT_MS,
    commandTimeout: ANSWER_LIMIT_MS,
  });
  let refusal: Error | undefined;
  redis.on('error', (error) => (refusal ??= error));
  try {
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    throw refusal ?? error; // the event says ECONNREFUSED, the promise only "Connection is closed"
  } finally {
    if (redis.status !== 'end') redis.disconnect();
  }
}
