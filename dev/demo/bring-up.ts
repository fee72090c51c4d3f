// Brings up what the demo needs, one after the other: Redis, the sandbox API, the worker. Each says how it is taken down.
import { writeFile } from 'node:fs/promises';
import { withoutUserinfo } from '../../core/redact.ts';
import { Reader } from '../../queue/reader.ts';
import { isRunning } from '../redis/running.ts';
import { startPrivateRedis } from '../redis/start.ts';
import { createSandbox, type Sandbox } from '../sandbox/server.ts';
import { DemoError } from './errors.ts';
import { type DemoFolder, findPrivateRedis, makeFolder } from './folder.ts';
import type { DemoOptions } from './run.ts';
import { startWorkerProcess } from './worker-process.ts';

/** The demo's writes never time out on the sandbox; a user's own, with a step such as `hang`, shall not take long. */
const TIMEOUT_MS = 3000;
/** Longer than the worker's own grace, timeoutMs and 5 s. */
const WORKER_STOP_LIMIT_MS = 10_000;
const REDIS_LOOK_MS = 500;
const API_KEY = 'sandbox-key';

export interface Stage {
  destination: string;
  redisUrl: string;
  sandbox: Sandbox;
  reader: Reader;
  /** Resolves with a sentence when something that should run has ended. */
  broken: Promise<string>;
}

/** @param takeDown is filled as things come up; to be run from its end */
export async function bringUp(options: DemoOptions, takeDown: (() => Promise<unknown>)[]): Promise<Stage> {
  const { cwd, env, say, force } = options;
  const folder = await makeFolder(cwd);
  const redis = await redisFor(options, folder, takeDown);
  say(`  redis    ${redis.from}`);

  const reader = await Reader.open(redis.url);
  takeDown.push(() => reader.close());
  await refuseOtherWorkers(reader, redis.destination);

  const sandbox = await createSandbox({ apiKey: API_KEY });
  takeDown.push(() => sandbox.close());
  say(`  sandbox  ${sandbox.url}, what it really applied: ${sandbox.url}/_sandbox/ledger`);

  await writeConfig(folder, redis, sandbox.url);
  const worker = await startWorkerProcess([...options.command, 'worker', '--config', folder.configFile], {
    logFile: folder.logFile,
    env: { ...withoutSettings(env), REDIS_URL: redis.url, SANDBOX_API_KEY: API_KEY },
  });
  takeDown.push(() => worker.stop(WORKER_STOP_LIMIT_MS, force));
  await worker.started;
  say(`  worker   process ${worker.pid}, its log: .waybill/worker.log`);

  const broken = Promise.race([worker.ended.then((how) => `the worker ${how}; see .waybill/worker.log`), redis.gone]);
  return { destination: redis.destination, redisUrl: redis.url, sandbox, reader, broken };
}

interface DemoRedis {
  url: string;
  from: string;
  destination: string;
  /** Ours alone; the URL of another may hold a password. */
  isPrivate: boolean;
  gone: Promise<string>;
}

async function redisFor(
  { cwd, redisUrl, env, say }: DemoOptions,
  folder: DemoFolder,
  takeDown: (() => Promise<unknown>)[],
): Promise<DemoRedis> {
  if (redisUrl !== undefined) {
    // Not `sms`: somebody's real queue may have that name, and its writes would end in the sandbox.
    return {
      url: redisUrl,
      from: `REDIS_URL, ${withoutUserinfo(redisUrl)}`,
      destination: 'sms-demo',
      isPrivate: false,
      gone: new Promise(() => {}),
    };
  }
  const live = await findPrivateRedis(cwd);
  if (live && live.owner !== process.pid && isRunning(live.owner)) {
    throw new DemoError(`process ${live.owner} runs the demo in this folder already; end it first`);
  }
  const server = await startPrivateRedis({
    dir: folder.redisDir,
    env,
    log: (line) => say(`  ${line}`),
  });
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<string>((resolve) => {
    timer = setInterval(() => {
      if (!isRunning(server.pid)) resolve('redis-server ended; see .waybill/redis/redis.log');
    }, REDIS_LOOK_MS);
  });
  takeDown.push(() => (clearInterval(timer), server.stop()));
  return {
    url: server.url,
    from: `${server.from}, ${server.url}, data in .waybill/redis`,
    destination: 'sms',
    isPrivate: true,
    gone,
  };
}

/** Theirs might send the demo's writes somewhere real. One that our last run left drains for some seconds yet. */
async function refuseOtherWorkers(reader: Reader, destination: string): Promise<void> {
  const deadline = performance.now() + WORKER_STOP_LIMIT_MS;
  while ((await reader.queue(destination).getWorkersCount()) > 0) {
    if (performance.now() > deadline) {
      throw new DemoError(
        `another worker serves the destination ${destination} on this Redis and would take the demo's writes; stop it, or use another Redis`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, REDIS_LOOK_MS));
  }
}

async function writeConfig(
  { configFile }: DemoFolder,
  { url, destination, isPrivate }: DemoRedis,
  baseUrl: string,
): Promise<void> {
  const config = {
    ...(isPrivate && { redis: { url } }),
    destinations: {
      [destination]: { baseUrl, auth: { header: 'x-api-key', env: 'SANDBOX_API_KEY' }, timeoutMs: TIMEOUT_MS },
    },
  };
  await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`);
}

/** The worker's settings are the demo's, whatever the user has set for his own. */
function withoutSettings(env: DemoOptions['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('WAYBILL_') && name !== 'REDIS_URL_FILE'),
  );
}
