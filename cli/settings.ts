// The configuration of one command: flags over the environment over the file over the defaults.
import { type Config, type Override, resolveConfig } from '../core/config.ts';
import { WaybillError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import type { RedisSettings } from '../core/redis-settings.ts';
import { findPrivateRedis } from '../dev/demo/folder.ts';
import { readEnvironment, readRedis } from './config-env.ts';
import { readConfigFile } from './config-file.ts';
import type { Io } from './io.ts';

/** Of every command. */
export interface GlobalFlags {
  output?: 'table' | 'json' | 'ndjson';
  config?: string;
  redis?: string;
}

/** Those of its commands that stand for a setting. */
interface ConfigFlags extends GlobalFlags {
  logLevel?: string;
  healthPort?: number;
  host?: string;
  port?: number;
}

const SETTING_FLAGS: Record<Exclude<keyof ConfigFlags, keyof GlobalFlags>, { path: string[]; from: string }> = {
  logLevel: { path: ['log', 'level'], from: '--log-level' },
  healthPort: { path: ['health', 'port'], from: '--health-port' },
  host: { path: ['dashboard', 'host'], from: '--host' },
  port: { path: ['dashboard', 'port'], from: '--port' },
};

/**
 * @param withDemo goes to the server of a `waybill dev` in this folder when nothing else is said
 * @throws WaybillError INVALID_CONFIG naming everything that is wrong, wherever it came from
 */
export async function loadConfig(
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
  flags: ConfigFlags,
  { withDemo = true }: { withDemo?: boolean } = {},
): Promise<Config> {
  const file = await readConfigFile(cwd, flags.config ?? (env.WAYBILL_CONFIG || undefined));
  const environment = readEnvironment(env, file?.value);
  const overrides: Override[] = [...environment.overrides];
  if (flags.redis !== undefined) overrides.push(redisFlag(flags.redis));
  for (const [flag, { path, from }] of Object.entries(SETTING_FLAGS)) {
    const value = flags[flag as keyof typeof SETTING_FLAGS];
    if (value !== undefined) overrides.push({ path, value, from });
  }
  if (withDemo && !namesRedis(file?.value) && !overrides.some(({ path }) => path[0] === 'redis')) {
    // While `waybill dev` runs in this folder, its server is the one that is meant.
    const server = await findPrivateRedis(cwd);
    if (server) overrides.unshift({ path: ['redis', 'url'], value: server.url, from: 'waybill dev' });
  }
  const wrong = environment.wrong.length === 0 ? [] : [listed(environment.wrong)];
  try {
    const config = resolveConfig(file?.value, overrides, file?.name);
    if (wrong.length === 0) return config;
  } catch (error) {
    if (!(error instanceof WaybillError)) throw error;
    wrong.push(error.message);
  }
  throw new WaybillError('INVALID_CONFIG', wrong.join('\n'));
}

/**
 * The Redis that the flag or the environment names; no file, and no other setting, is looked at.
 * @throws WaybillError INVALID_CONFIG
 */
export function givenRedis(
  { env }: Pick<Io, 'env'>,
  flags: GlobalFlags,
): { settings: RedisSettings; from: string } | undefined {
  const wrong: string[] = [];
  const given = readRedis(env, wrong);
  if (flags.redis !== undefined) given.push(redisFlag(flags.redis));
  if (wrong.length > 0) throw new WaybillError('INVALID_CONFIG', listed(wrong));
  const url = given.findLast(({ path }) => path[1] === 'url');
  return url && { settings: resolveConfig(undefined, given).redis, from: url.from };
}

const redisFlag = (value: string): Override => ({ path: ['redis', 'url'], value, from: '--redis' });

const listed = (wrong: string[]): string =>
  `${wrong.length} wrong value(s) in the environment:\n  ${wrong.join('\n  ')}`;

function namesRedis(file: unknown): boolean {
  return isRecord(file) && isRecord(file.redis) && file.redis.url !== undefined;
}
