// The environment's part of the configuration: REDIS_URL and WAYBILL_*. Everything wrong is collected, so that it can be
// told at once; a secret's value is never part of a message.
import { readFileSync } from 'node:fs';
import type { Override } from '../core/config.ts';
import { isRecord } from '../core/json.ts';
import { codeOf } from '../dev/redis/errors.ts';

type Env = Record<string, string | undefined>;

const NUMBERS: Record<string, string[]> = {
  WAYBILL_LOCK_MS: ['worker', 'lockMs'],
  WAYBILL_STALLED_INTERVAL_MS: ['worker', 'stalledIntervalMs'],
  WAYBILL_GRACE_MS: ['worker', 'graceMs'],
  WAYBILL_MAX_CRASHES: ['worker', 'maxCrashes'],
};
const TEXTS: Record<string, string[]> = { WAYBILL_LOG_LEVEL: ['log', 'level'] };
/** Read elsewhere in the CLI. */
const OTHERS = ['WAYBILL_CONFIG', 'WAYBILL_DEBUG'];
const KNOWN = [...OTHERS, ...Object.keys(TEXTS), ...Object.keys(NUMBERS)];

export interface Environment {
  overrides: Override[];
  /** One line each. */
  wrong: string[];
}

/** @param file what the configuration file holds: a destination's credential may be named WAYBILL_… too */
export function readEnvironment(env: Env, file: unknown): Environment {
  const overrides: Override[] = [];
  const wrong: string[] = [];
  readRedisUrl(env, overrides, wrong);
  for (const [from, path] of Object.entries(TEXTS)) if (env[from]) overrides.push({ path, value: env[from], from });
  for (const [from, path] of Object.entries(NUMBERS)) {
    const text = env[from];
    if (!text) continue;
    if (/^\d{1,15}$/.test(text)) overrides.push({ path, value: Number(text), from });
    else wrong.push(`${from}: must be a whole number, in digits alone, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  const credentials = new Set(credentialNames(file));
  for (const name of Object.keys(env)) {
    if (!name.startsWith('WAYBILL_') || KNOWN.includes(name) || credentials.has(name)) continue;
    wrong.push(`${name}: there is no such setting; allowed are ${KNOWN.join(', ')}`);
  }
  return { overrides, wrong };
}

function readRedisUrl(env: Env, overrides: Override[], wrong: string[]): void {
  const path = ['redis', 'url'];
  const file = env.REDIS_URL_FILE;
  if (env.REDIS_URL) overrides.push({ path, value: env.REDIS_URL, from: 'REDIS_URL' });
  else if (file) {
    try {
      overrides.push({ path, value: readFileSync(file, 'utf8').trim(), from: 'REDIS_URL_FILE' });
    } catch (error) {
      wrong.push(`REDIS_URL_FILE: cannot be read (${codeOf(error) ?? 'unreadable'})`);
    }
  }
}

function credentialNames(file: unknown): string[] {
  const destinations = isRecord(file) && isRecord(file.destinations) ? Object.values(file.destinations) : [];
  return destinations.flatMap((destination) => {
    const auth = isRecord(destination) ? destination.auth : undefined;
    return isRecord(auth) && typeof auth.env === 'string' ? [auth.env, `${auth.env}_FILE`] : [];
  });
}
