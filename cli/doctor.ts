// waybill doctor: can Redis, this configuration and the APIs keep the promises? Each check is a line: how good it is,
// what was found, what to do. No write is sent, and nothing is written to Redis.
import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import type { Config, DestinationConfig } from '../core/config.ts';
import { credentialFault, secretOfFile } from '../core/credential.ts';
import { printable } from '../core/envelope.ts';
import type { Finding, Level } from '../core/finding.ts';
import type { RedisSettings } from '../core/redis-settings.ts';
import { parseRedisUrl, redisLabel } from '../core/redis-url.ts';
import { checkExists, examineRedis } from '../queue/doctor.ts';
import { Reader } from '../queue/reader.ts';
import { readConfigFile } from './config-file.ts';
import { type Credential, judgeCredential, judgeReach, judgeSettings, judgeWorker } from './destination-rules.ts';
import { EXIT, type ExitCode, explainError } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import { reach } from './reach.ts';
import type { ReadingFlags } from './reading.ts';
import { loadConfig } from './settings.ts';

/** APIs that are knocked at in one go; one that does not answer takes 5 s. */
const AT_ONCE = 16;
const MAX_TEXT = 400;
const COLOURS: Record<Level, 'green' | 'yellow' | 'red'> = { ok: 'green', warning: 'yellow', problem: 'red' };

export async function doctor(io: Io, flags: ReadingFlags): Promise<ExitCode> {
  io.endWithReader();
  const config = await loadConfig(io, flags);
  const counts: Record<Level, number> = { ok: 0, warning: 0, problem: 0 };
  let isAway = false;
  async function* findings(): AsyncGenerator<Finding> {
    const all = examine(io, config, flags, () => (isAway = true));
    for await (const { found, advice, ...finding } of all) {
      counts[finding.level] += 1;
      yield {
        ...finding,
        found: printable(found, MAX_TEXT),
        ...(advice !== undefined && { advice: printable(advice, MAX_TEXT) }),
      };
    }
  }
  if (flags.output === 'json' || flags.output === 'ndjson') await printDocuments(io, flags.output, findings());
  else for await (const finding of findings()) await write(io.stdout, lines(io, finding));
  say(io, `${counts.problem} problem(s), ${counts.warning} warning(s), ${counts.ok} in order`);
  if (isAway) return EXIT.redis;
  return counts.problem > 0 ? EXIT.failed : EXIT.ok;
}

async function* examine(
  io: Io,
  { redis, destinations, worker }: Config,
  flags: ReadingFlags,
  onAway: () => void,
): AsyncGenerator<Finding> {
  const configured = Object.keys(destinations);
  const only = flags.destination;
  yield* throughRedis(redis, configured, only, onAway);
  const chosen = Object.entries(destinations).filter(([name]) => only === undefined || name === only);
  yield chosen.length > 0 ? judgeWorker(worker) : await nothingToReach(io, flags, configured);
  for (let from = 0; from < chosen.length; from += AT_ONCE) {
    const some = chosen.slice(from, from + AT_ONCE);
    const reached = await Promise.all(some.map(([, { baseUrl }]) => reach(baseUrl)));
    for (const [i, [name, destination]] of some.entries()) {
      yield* judgeSettings(name, destination, worker);
      yield judgeCredential(name, credentialOf(destination, io.env));
      const how = reached[i];
      if (how) yield* judgeReach(name, destination, how, Date.now());
    }
  }
}

/** Redis away is a finding too: the APIs are looked at all the same. */
async function* throughRedis(
  redis: RedisSettings,
  configured: readonly string[],
  only: string | undefined,
  onAway: () => void,
): AsyncGenerator<Finding> {
  const address = parseRedisUrl(redis.url);
  const base = { check: 'redis', subject: 'fault' in address ? 'Redis' : redisLabel(address) };
  let reader: Reader | undefined;
  try {
    reader = await Reader.open(redis);
    if (only !== undefined) await checkExists(reader, configured, only);
    yield { ...base, level: 'ok', found: 'it answers' };
    yield* examineRedis(reader, configured, only, redis.waitForReplicas?.count);
  } catch (error) {
    const { exit, said = 'no answer' } = explainError(error);
    if (exit !== EXIT.redis) throw error;
    onAway();
    yield { ...base, level: 'problem', found: said };
  } finally {
    await reader?.close();
  }
}

/** As a worker would look for it; the value is not kept. */
function credentialOf({ auth }: DestinationConfig, env: Io['env']): Credential {
  if (!auth) return 'none needed';
  const file = env[`${auth.env}_FILE`];
  let value = env[auth.env];
  if (value === undefined && file === undefined) return { missing: auth.env };
  try {
    value ??= secretOfFile(readFileSync(file ?? '', 'utf8'));
  } catch {
    return { unreadable: `${auth.env}_FILE` };
  }
  const fault = credentialFault(value);
  return fault === undefined ? 'set' : { variable: auth.env, fault };
}

/** Why no API is looked at, where none is: a check that was not made must not look like one that went well. */
async function nothingToReach(io: Io, flags: ReadingFlags, configured: readonly string[]): Promise<Finding> {
  const base = { check: 'config', level: 'warning' as const };
  const advice = 'Run it beside waybill.config.ts, or name the file with --config.';
  const only = flags.destination;
  if (configured.length > 0)
    return { ...base, subject: String(only), found: 'it is not configured here: its API was not looked at', advice };
  const file = await readConfigFile(io.cwd, flags.config ?? (io.env.WAYBILL_CONFIG || undefined));
  const found = file
    ? `${file.name} has no destinations: none was looked at`
    : `no configuration in ${io.cwd}: no destination was looked at`;
  return { ...base, subject: 'destinations', found, advice };
}

/** Of one width from the first line on: lines are printed as they come. */
function lines({ stdout }: Io, { level, check, subject, found, advice }: Finding): string {
  const shown = styleText(COLOURS[level], level, { stream: stdout }) + ' '.repeat('problem'.length - level.length);
  const rows = [[shown, check.padEnd(11), `${printable(subject, MAX_TEXT)}: ${found}`]];
  if (advice !== undefined) rows.push([' '.repeat('problem'.length), ' '.repeat(11), `→ ${advice}`]);
  return layOut(rows);
}
