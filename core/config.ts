// The configuration: one schema, one table of defaults, resolved once and frozen. Pure: files, environment and flags
// are read by the programs and given here as values.
import type { z } from 'zod';
import { DAY_MS, destination, schema } from './config-schema.ts';
import type { Policy } from './decide.ts';
import { WaybillError } from './errors.ts';
import { redisContradictions, secretsInFile } from './redis-settings.ts';

/** What a configuration file holds, or defineConfig takes. */
export type ConfigInput = z.input<typeof schema>;
/** The same with every default in its place. */
export type Config = z.output<typeof schema>;
export type DestinationConfig = Config['destinations'][string];

/** One value and where it came from, for messages: `redis.url (from REDIS_URL)`. */
export interface Override {
  path: string[];
  value: unknown;
  from: string;
}

/** Gives a configuration file its types; returns what it was given. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/**
 * Flags over the environment over the file over the defaults.
 * @param file what the file holds; undefined when there is none
 * @param overrides in rising order of precedence
 * @param fileName given when it is a file: a file must not hold a password
 * @throws WaybillError INVALID_CONFIG naming every wrong value with what is allowed
 */
export function resolveConfig(file: unknown, overrides: readonly Override[] = [], fileName?: string): Config {
  const source = fileName ?? 'the configuration';
  const input = structuredClone(file ?? {}) as Record<string, unknown>;
  const origin = new Map<string, string>();
  const wrong: string[] = [];
  if (typeof input !== 'object' || Array.isArray(input)) {
    throw new WaybillError('INVALID_CONFIG', `${source} must hold an object`);
  }
  if (fileName !== undefined) wrong.push(...secretsInFile(input.redis));
  for (const { path, value, from } of overrides) {
    setPath(input, path, value);
    origin.set(path.join('.'), from);
  }
  const parsed = schema.safeParse(input);
  const contradictions = [...redisContradictions(input.redis), ...contradictionsOf(input.destinations)];
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.join('.');
      const from = origin.get(path) ?? source;
      wrong.push(`${path || '(the whole)'}: ${explain(issue)} (from ${from})`);
    }
  } else {
    if (wrong.length === 0 && contradictions.length === 0) return deepFreeze(parsed.data);
  }
  wrong.push(...contradictions);
  throw new WaybillError(
    'INVALID_CONFIG',
    `${wrong.length} wrong value(s) in the configuration:\n  ${wrong.join('\n  ')}`,
  );
}

/** @returns undefined for a destination that is not configured, also for one that is named like a part of every object */
export const configuredAs = (
  config: Pick<Config, 'destinations'> | undefined,
  name: string,
): DestinationConfig | undefined =>
  config && Object.hasOwn(config.destinations, name) ? config.destinations[name] : undefined;

/** The pure rules' view of a destination. */
export function policyOf(config: DestinationConfig, worker: Config['worker']): Policy {
  return {
    ...config.retry,
    timeoutMs: config.timeoutMs,
    keyTtlMs: config.idempotency.ttlMs,
    inProgressCodes: config.idempotency.inProgressCodes,
    unappliedStatuses: config.idempotency.unappliedStatuses,
    maxCrashes: worker.maxCrashes,
  };
}

const KEEP_DEAD_MS = 90 * DAY_MS;
const KEEP_HANDLED_MS = 30 * DAY_MS;

/** How long what is kept. */
export function retentionOf({ retention, idempotency: { ttlMs } }: DestinationConfig) {
  return {
    ...retention,
    deliveredMs: retention.deliveredMs ?? ttlMs,
    deadMs: retention.deadMs ?? Math.max(KEEP_DEAD_MS, ttlMs),
    handledMs: retention.handledMs ?? Math.max(KEEP_HANDLED_MS, ttlMs),
  };
}

/** zod's own words say what is expected of a value, but not which names are allowed. */
function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `has no setting ${issue.keys.join(', ')}; allowed are ${namesAt(issue.path).join(', ')}`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  return issue.message.replace('Invalid input: ', '');
}

/** The names that a strict object of the schema knows. */
function namesAt(path: readonly PropertyKey[]): string[] {
  let node: unknown = schema;
  for (const step of path) {
    const { shape, valueType } = unwrap(node);
    node = shape ? shape[String(step)] : valueType;
  }
  return Object.keys(unwrap(node).shape ?? {});
}

function unwrap(node: unknown): { shape?: Record<string, unknown>; valueType?: unknown } {
  let inner = node as
    | { _zod: { def: { innerType?: unknown; shape?: Record<string, unknown>; valueType?: unknown } } }
    | undefined;
  while (inner?._zod.def.innerType !== undefined) inner = inner._zod.def.innerType as typeof inner;
  return inner?._zod.def ?? {};
}

/** Values of one destination that contradict each other; also told when other destinations are wrong. */
function contradictionsOf(destinations: unknown): string[] {
  const wrong: string[] = [];
  for (const [name, input] of Object.entries(destinations ?? {})) {
    const parsed = destination.safeParse(input);
    if (!parsed.success) continue;
    const { retry, timeoutMs, idempotency, auth, retention } = parsed.data;
    const at = `destinations.${name}`;
    if (retry.capMs < retry.baseMs) wrong.push(`${at}.retry.capMs: must be at least baseMs (${retry.baseMs})`);
    for (const field of ['deliveredMs', 'deadMs', 'handledMs'] as const) {
      if ((retention[field] ?? Infinity) < idempotency.ttlMs)
        wrong.push(
          `${at}.retention.${field}: must be at least idempotency.ttlMs (${idempotency.ttlMs}), or a key could be sent again as new`,
        );
    }
    if (timeoutMs * 2 > idempotency.ttlMs) wrong.push(`${at}.timeoutMs: must be at most half of idempotency.ttlMs`);
    if (auth && auth.header.toLowerCase() === idempotency.header.toLowerCase()) {
      wrong.push(`${at}.auth.header: must differ from idempotency.header`);
    }
  }
  return wrong;
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const inner = target[head];
  const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  target[head] = next;
  setPath(next, rest, value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
