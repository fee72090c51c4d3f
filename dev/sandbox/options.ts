// What the sandbox can be told, its defaults, and the refusal of wrong values: all of them at once, each with what is
// allowed.

import { BlockList, isIP } from 'node:net';
import { inspect } from 'node:util';
import { isRecord } from '../../core/json.ts';
import { ALLOWED_STEPS, parseStep, type StepName } from './steps.ts';

/** The name of a random fault: that of the plan step which does it. */
export type FaultName = StepName;

/** An option that is `undefined` is left out: it has its default. */
export interface SandboxOptions {
  /** TCP port, 0 for a free one. Default 0. */
  readonly port?: number | undefined;
  /** A loopback address or `localhost`; any other host is refused. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /**
   * The valid value of the x-api-key header, printable ASCII. Default `sandbox-key`. Of several the ledger says which one a
   * send bore, so that the clients can be told apart.
   */
  readonly apiKey?: string | readonly string[] | undefined;
  /** For how long the API keeps an idempotency key, in ms from the first send that it looked up. Default 24 h. */
  readonly keyTtlMs?: number | undefined;
  /** Seed of the random faults, a whole number of 32 bits. Default 1. */
  readonly seed?: number | undefined;
  /** Rate of each random fault, 0 to 1, at most 1 in sum; for sends whose body has no plan. Default none. */
  readonly faults?: Readonly<Partial<Record<FaultName, number | undefined>>> | undefined;
  /** How long the API takes to run a write, in ms; its key is in progress meanwhile. Default 0. */
  readonly latencyMs?: number | undefined;
}

export type ResolvedOptions = {
  readonly [K in keyof SandboxOptions]-?: Exclude<SandboxOptions[K], undefined>;
};

const DEFAULTS: ResolvedOptions = {
  port: 0,
  host: '127.0.0.1',
  apiKey: 'sandbox-key',
  keyTtlMs: 86_400_000,
  seed: 1,
  faults: {},
  latencyMs: 0,
};

const MAX_PORT = 65_535;
const MAX_LATENCY_MS = 600_000;
/** The generator has 32 bits: any other seed would silently be one of these. */
const MAX_SEED = 2 ** 32 - 1;
/** What a client can send: fetch and Node trim a header's value, and bytes above ASCII arrive as others. */
const API_KEY = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Throws a RangeError that names every wrong value: of a wrong type too, since JavaScript calls this as well. */
export function resolveOptions(given: SandboxOptions): ResolvedOptions {
  const options: unknown = given;
  if (!isRecord(options)) throw refusal([`options is ${inspect(options)}: an object`]);
  const {
    port = DEFAULTS.port,
    host = DEFAULTS.host,
    apiKey = DEFAULTS.apiKey,
    keyTtlMs = DEFAULTS.keyTtlMs,
    seed = DEFAULTS.seed,
    faults = DEFAULTS.faults,
    latencyMs = DEFAULTS.latencyMs,
  } = given;
  const problems: string[] = [];
  const require = (holds: boolean, name: string, value: unknown, allowed: string) => {
    if (!holds) problems.push(`${name} is ${inspect(value)}: ${allowed}`);
  };
  const wholeNumberUpTo = (max: number, name: string, value: number) =>
    require(Number.isInteger(value) && value >= 0 && value <= max, name, value, `a whole number from 0 to ${max}`);

  wholeNumberUpTo(MAX_PORT, 'port', port);
  const whyLoopback = 'only loopback is served (127.0.0.1, ::1, localhost): the sandbox is no public API';
  require(isLoopback(host), 'host', host, whyLoopback);
  problems.push(...findApiKeyProblems(apiKey));
  require(typeof keyTtlMs === 'number' && keyTtlMs > 0, 'keyTtlMs', keyTtlMs, 'more than 0 ms');
  wholeNumberUpTo(MAX_SEED, 'seed', seed);
  require(isWithin(0, latencyMs, MAX_LATENCY_MS), 'latencyMs', latencyMs, `0 to ${MAX_LATENCY_MS} ms`);
  problems.push(...findFaultProblems(faults));
  if (problems.length > 0) throw refusal(problems);
  return { port, host, apiKey, keyTtlMs, seed, faults, latencyMs };
}

function findApiKeyProblems(apiKey: unknown): string[] {
  if (Array.isArray(apiKey)) {
    const keys: unknown[] = apiKey;
    if (keys.length === 0) return ['apiKey is []: 1 or more'];
    return new Set(keys).size < keys.length
      ? ['apiKey holds a key twice: each once']
      : keys.flatMap(findApiKeyProblems);
  }
  if (typeof apiKey === 'string' && API_KEY.test(apiKey)) return [];
  // A text's length and not the text: the likeliest wrong one is a real key with a line break after it.
  const found = typeof apiKey === 'string' ? `a string of ${apiKey.length}` : inspect(apiKey);
  return [`apiKey is ${found}: 1 or more printable ASCII characters, without a space at either end`];
}

function findFaultProblems(faults: unknown): string[] {
  if (!isRecord(faults)) return [`faults is ${inspect(faults)}: an object of rates by step`];
  const problems: string[] = [];
  let rateSum = 0;
  for (const [name, rate = 0] of Object.entries(faults)) {
    if (parseStep(name) === undefined) {
      problems.push(`a name in faults is ${inspect(name)}: one of ${ALLOWED_STEPS.join(', ')}`);
    }
    if (!isWithin(0, rate, 1)) problems.push(`faults['${name}'] is ${inspect(rate)}: a rate from 0 to 1`);
    if (typeof rate === 'number') rateSum += rate;
  }
  // The slack is for sums such as 0.1 + 0.2 + 0.7, which floating point puts above 1.
  if (rateSum > 1 + 1e-9) {
    problems.push(`the sum of faults is ${rateSum}: at most 1, since a send has at most one fault`);
  }
  return problems;
}

function isWithin(min: number, value: unknown, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

function isLoopback(host: unknown): boolean {
  if (typeof host !== 'string') return false;
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function refusal(problems: readonly string[]): RangeError {
  return new RangeError(`The sandbox cannot start. ${problems.join('. ')}.`);
}
