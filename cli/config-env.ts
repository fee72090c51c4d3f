// The environment's part of the configuration: REDIS_* and WAYBILL_*. Everything wrong is collected, so that it can be
// told at once; a secret's value is never part of a message.
import { readFileSync } from 'node:fs';
import type { Override } from '../core/config.ts';
import { isRecord } from '../core/json.ts';
import { codeOf } from '../core/outcome.ts';

type Env = Record<string, string | undefined>;

const WHOLE_NUMBER = /^\d{1,15}$/;

const WAIT_TIMEOUT = 'REDIS_WAIT_TIMEOUT_MS';
const NUMBERS: Record<string, string[]> = {
  REDIS_WAIT_REPLICAS: ['redis', 'waitForReplicas', 'count'],
  [WAIT_TIMEOUT]: ['redis', 'waitForReplicas', 'timeoutMs'],
  WAYBILL_LOCK_MS: ['worker', 'lockMs'],
  WAYBILL_STALLED_INTERVAL_MS: ['worker', 'stalledIntervalMs'],
  WAYBILL_GRACE_MS: ['worker', 'graceMs'],
  WAYBILL_MAX_CRASHES: ['worker', 'maxCrashes'],
  WAYBILL_HEALTH_PORT: ['health', 'port'],
  WAYBILL_DASHBOARD_PORT: ['dashboard', 'port'],
};
const TEXTS: Record<string, string[]> = {
  WAYBILL_LOG_LEVEL: ['log', 'level'],
  WAYBILL_HEALTH_HOST: ['health', 'host'],
  WAYBILL_DASHBOARD_HOST: ['dashboard', 'host'],
  WAYBILL_ENVIRONMENT: ['dashboard', 'environment'],
};
/** Each may stand in a file that NAME_FILE names. */
const REDIS: Record<string, string[]> = {
  REDIS_URL: ['redis', 'url'],
  REDIS_PASSWORD: ['redis', 'password'],
  REDIS_SENTINEL_PASSWORD: ['redis', 'sentinelPassword'],
};
/** Read elsewhere. */
const OTHERS = [
  'WAYBILL_CONFIG',
  'WAYBILL_DEBUG',
  'WAYBILL_OPERATOR',
  'WAYBILL_DASHBOARD_TOKENS',
  'WAYBILL_DASHBOARD_TOKENS_FILE',
];
const KNOWN = [...OTHERS, ...Object.keys(TEXTS), ...Object.keys(NUMBERS)].filter((name) => name.startsWith('WAYBILL_'));

export const ENVIRONMENT_HELP = `
Environment:
  REDIS_URL              Redis: redis://user:password@host:6379/0, or with several hosts redis+sentinel://… or
                         redis+cluster://…; rediss… over TLS (docs/redis.md)
  REDIS_PASSWORD         the password, where it does not stand in the URL
  REDIS_SENTINEL_PASSWORD
                         that of the Sentinels
                         Each of the three may stand in a file instead, named by REDIS_URL_FILE and so on
  REDIS_WAIT_REPLICAS, REDIS_WAIT_TIMEOUT_MS
                         how many replicas must have what enqueue adds, and how long they are waited for
  WAYBILL_CONFIG         the configuration file, where --config is not given
  WAYBILL_LOG_LEVEL      the worker's log: trace, debug, info, warn, error or silent
  WAYBILL_LOCK_MS, WAYBILL_STALLED_INTERVAL_MS, WAYBILL_GRACE_MS, WAYBILL_MAX_CRASHES
                         the worker's settings of these names
  WAYBILL_HEALTH_PORT    where the worker serves /livez, /readyz and /metrics; 0 for a free port
  WAYBILL_HEALTH_HOST    on which address; default 127.0.0.1
  WAYBILL_DASHBOARD_TOKENS
                         who may sign in to the dashboard: name:role:token, with commas between; or a file holds
                         them, one a line, that WAYBILL_DASHBOARD_TOKENS_FILE names
  WAYBILL_DASHBOARD_HOST, WAYBILL_DASHBOARD_PORT
                         where the dashboard listens; default 127.0.0.1, port 7070
  WAYBILL_ENVIRONMENT    the badge on every view of the dashboard, such as production
  WAYBILL_OPERATOR       who replays, discards or restores a dead letter, where --by is not given
  WAYBILL_DEBUG=1        shows the stack of an error
Flags go over the environment, that over the file. A destination's credential stands in the variable its auth.env names,
or in the file that the variable NAME_FILE names.`;

export interface Environment {
  overrides: Override[];
  /** One line each. */
  wrong: string[];
}

/** @param file what the configuration file holds: a destination's credential may be named WAYBILL_… too */
export function readEnvironment(env: Env, file: unknown): Environment {
  const overrides: Override[] = [];
  const wrong: string[] = [];
  overrides.push(...readRedis(env, wrong));
  for (const [from, path] of Object.entries(TEXTS)) if (env[from]) overrides.push({ path, value: env[from], from });
  for (const [from, path] of Object.entries(NUMBERS)) {
    const text = env[from];
    if (!text || (from === WAIT_TIMEOUT && !waitsForReplicas(env, file, wrong))) continue;
    if (WHOLE_NUMBER.test(text)) overrides.push({ path, value: Number(text), from });
    else wrong.push(`${from}: must be a whole number, in digits alone, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  const credentials = new Set(credentialNames(file));
  for (const name of Object.keys(env)) {
    if (!name.startsWith('WAYBILL_') || KNOWN.includes(name) || credentials.has(name)) continue;
    wrong.push(`${name}: there is no such setting; allowed are ${KNOWN.join(', ')}`);
  }
  return { overrides, wrong };
}

/** @param wrong is told why a file cannot be read */
export function readRedis(env: Env, wrong: string[]): Override[] {
  return Object.entries(REDIS).flatMap(([name, path]) => {
    const file = env[`${name}_FILE`];
    if (env[name]) return { path, value: env[name], from: name };
    if (!file) return [];
    try {
      return { path, value: readFileSync(file, 'utf8').trim(), from: `${name}_FILE` };
    } catch (error) {
      wrong.push(`${name}_FILE: cannot be read (${codeOf(error)})`);
      return [];
    }
  });
}

/** The time alone would make half a section, and the file would be blamed for the rest. @param wrong is told so */
function waitsForReplicas(env: Env, file: unknown, wrong: string[]): boolean {
  if (isRecord(file) && isRecord(file.redis) && file.redis.waitForReplicas !== undefined) return true;
  const count = env.REDIS_WAIT_REPLICAS;
  if (!count) wrong.push(`${WAIT_TIMEOUT}: needs REDIS_WAIT_REPLICAS, or redis.waitForReplicas in the configuration`);
  return count !== undefined && WHOLE_NUMBER.test(count);
}

function credentialNames(file: unknown): string[] {
  const destinations = isRecord(file) && isRecord(file.destinations) ? Object.values(file.destinations) : [];
  return destinations.flatMap((destination) => {
    const auth = isRecord(destination) ? destination.auth : undefined;
    return isRecord(auth) && typeof auth.env === 'string' ? [auth.env, `${auth.env}_FILE`] : [];
  });
}
