// Brings up what the demo needs, one after the other: Redis, the sandbox API, the worker, the page. Each says how it is taken down.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { Reader } from '../../queue/reader.ts';
import { createSandbox, type Sandbox } from '../sandbox/server.ts';
import { DemoError } from './errors.ts';
import { makeFolder } from './folder.ts';
import { answers, closeReader, redisFor } from './redis.ts';
import type { DemoOptions } from './run.ts';
import { whenAborted } from './when-aborted.ts';
import { startWorkerProcess } from './worker-process.ts';

/** The demo's writes never time out on the sandbox; a user's own, with a step such as `hang`, shall not take long. */
const TIMEOUT_MS = 3000;
/** Longer than the worker's own grace, timeoutMs and 5 s. */
const WORKER_STOP_LIMIT_MS = 10_000;
const LOOK_MS = 500;
/** Of a worker that can settle nothing any more: its Redis hangs or is gone. */
const WITHOUT_REDIS_LIMIT_MS = 1000;
const API_KEY = 'sandbox-key';

export interface Stage {
  destination: string;
  redis: RedisSettings;
  sandbox: Sandbox;
  reader: Reader;
  dashboardUrl: string;
  /** Resolves with a sentence when something that should run has ended. */
  broken: Promise<string>;
}

/**
 * @param takeDown is filled as things come up; to be run from its end
 * @throws DemoError, PrivateRedisError, WaybillError, or the reason of `asked` when it is aborted meanwhile
 */
export async function bringUp(options: DemoOptions, takeDown: (() => Promise<unknown>)[]): Promise<Stage> {
  const { cwd, env, say, asked, force } = options;
  const folder = await makeFolder(cwd);
  const redis = await redisFor(options, folder, takeDown);
  say(`  redis    ${redis.from}`);
  asked.throwIfAborted();

  const reader = await Reader.open(redis.settings);
  takeDown.push(() => closeReader(reader));
  await refuseOtherWorkers(reader, redis.destination, asked);

  const sandbox = await createSandbox({ apiKey: API_KEY });
  takeDown.push(() => sandbox.close());
  say(`  sandbox  ${sandbox.url}, what it really applied: ${sandbox.url}/_sandbox/ledger`);

  const destinations = {
    [redis.destination]: {
      baseUrl: sandbox.url,
      auth: { header: 'x-api-key', env: 'SANDBOX_API_KEY' },
      timeoutMs: TIMEOUT_MS,
    },
  };
  await writeFile(
    folder.configFile,
    `${JSON.stringify({ ...(redis.isPrivate && { redis: redis.settings }), destinations }, null, 2)}\n`,
  );
  asked.throwIfAborted();
  const worker = await startWorkerProcess([...options.command, 'worker', '--config', folder.configFile], {
    logFile: folder.logFile,
    env: { ...withoutSettings(env), ...environmentOf(redis.settings), SANDBOX_API_KEY: API_KEY },
  });
  takeDown.push(async () =>
    worker.stop((await answers(reader)) ? WORKER_STOP_LIMIT_MS : WITHOUT_REDIS_LIMIT_MS, force),
  );
  await Promise.race([worker.started, whenAborted(asked)]);
  asked.throwIfAborted();
  say(`  worker   process ${worker.pid}, its log: .waybill/worker.log`);

  const dashboard = await options.openDashboard({
    redis: redis.settings,
    destinations,
    logFile: folder.dashboardLogFile,
  });
  takeDown.push(() => dashboard.stop());
  say(`  page     ${dashboard.url}`);

  const broken = Promise.race([worker.ended.then((how) => `the worker ${how}; see .waybill/worker.log`), redis.gone]);
  const { destination, settings } = redis;
  return { destination, redis: settings, sandbox, reader, dashboardUrl: dashboard.url, broken };
}

/** Theirs might send the demo's writes somewhere real. One that our last run left drains for some seconds yet. */
async function refuseOtherWorkers(reader: Reader, destination: string, asked: AbortSignal): Promise<void> {
  const deadline = performance.now() + WORKER_STOP_LIMIT_MS;
  const stopped = whenAborted(asked).then(() => 0);
  while ((await Promise.race([reader.queue(destination).getWorkersCount(), stopped])) > 0) {
    if (performance.now() > deadline) {
      throw new DemoError(
        `another worker serves the destination ${destination} on this Redis and would take the demo's writes; stop it, or use another Redis`,
      );
    }
    await Promise.race([sleep(LOOK_MS), stopped]);
  }
  asked.throwIfAborted();
}

/** The worker's settings are the demo's, whatever the user has set for his own. */
function withoutSettings(env: DemoOptions['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(?:WAYBILL|REDIS)_/.test(name)));
}

function environmentOf({ url, password, sentinelPassword }: RedisSettings): NodeJS.ProcessEnv {
  return {
    REDIS_URL: url,
    ...(password !== undefined && { REDIS_PASSWORD: password }),
    ...(sentinelPassword !== undefined && { REDIS_SENTINEL_PASSWORD: sentinelPassword }),
  };
}
