// The demo's Redis: the one that was named, or a private one that goes with the demo.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { parseRedisUrl, redisLabel } from '../../core/redis-url.ts';
import type { Reader } from '../../queue/reader.ts';
import { isOwnedByAnother } from '../redis/folder.ts';
import { ping } from '../redis/inquiry.ts';
import { isRunning } from '../redis/running.ts';
import { startPrivateRedis } from '../redis/start.ts';
import { DemoError } from './errors.ts';
import { type DemoFolder, findPrivateRedis } from './folder.ts';
import type { DemoOptions } from './run.ts';

const LOOK_MS = 500;
/** One that hangs, or is gone, is not waited for by what is taken down. */
const ANSWER_LIMIT_MS = 1000;

export interface DemoRedis {
  settings: RedisSettings;
  from: string;
  destination: string;
  /** Ours alone; the URL of another may hold a password. */
  isPrivate: boolean;
  gone: Promise<string>;
}

/** @param takeDown is filled when a server is started */
export async function redisFor(
  { cwd, redis: given, env, say, asked }: DemoOptions,
  folder: DemoFolder,
  takeDown: (() => Promise<unknown>)[],
): Promise<DemoRedis> {
  if (given) {
    const address = parseRedisUrl(given.settings.url);
    // Not `sms`: somebody's real queue may have that name, and its writes would end in the sandbox.
    return {
      settings: given.settings,
      // Never the URL: a password may stand in more than one place of it.
      from: `${given.from}${'fault' in address ? '' : `, ${redisLabel(address)}`}`,
      destination: 'sms-demo',
      isPrivate: false,
      gone: new Promise(() => {}),
    };
  }
  const live = await findPrivateRedis(cwd);
  if (live && isOwnedByAnother(live)) {
    throw new DemoError(`process ${live.owner} runs the demo in this folder already; end it first`);
  }
  const server = await startPrivateRedis({
    dir: folder.redisDir,
    env,
    log: (line) => say(`  ${line}`),
    signal: asked,
  });
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<string>((resolve) => {
    timer = setInterval(() => {
      if (!isRunning(server.pid)) resolve('redis-server ended; see .waybill/redis/redis.log');
    }, LOOK_MS);
  });
  takeDown.push(async () => {
    clearInterval(timer);
    // One that hangs would be asked in vain for longer than a person waits; what was written stays in its folder.
    const asks = await ping(server.port).catch(() => undefined);
    if (asks === undefined) server.kill();
    await server.stop();
  });
  return {
    settings: { url: server.url },
    from: `${server.from}, ${server.url}, data in .waybill/redis`,
    destination: 'sms',
    isPrivate: true,
    gone,
  };
}

export async function answers({ client }: Reader): Promise<boolean> {
  // A command that waits for a connection keeps the process for its whole time limit, also after disconnect() (ioredis 6).
  if (client.status !== 'ready') return false;
  const pong = client.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([pong, sleep(ANSWER_LIMIT_MS, false)]);
}

/** What the story still waits for is rejected, and not left to its own 30 s. */
export async function closeReader(reader: Reader): Promise<void> {
  if (!(await answers(reader))) reader.client.disconnect();
  await reader.close();
}
