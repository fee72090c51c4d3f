// What the sandbox can be told, its defaults, and the refusal of wrong values: all of them at once, each with what is
// allowed.

import { BlockList, isIP } from 'node:net';
import { inspect } from 'node:util';
import { ALLOWED_STEPS, parseStep, type StepName } from './steps.ts';

/** The name of a random fault: that of the plan step which does it. */
export type FaultName = StepName;

export interface SandboxOptions {
  /** TCP port, 0 for a free one. Default 0. */
  readonly port?: number;
  /** A loopback address or `localhost`; any other host is refused. Default 127.0.0.1. */
  readonly host?: string;
  /** The one valid value of the x-api-key header. Default `sandbox-key`. */
  readonly apiKey?: string;
  /** For how long the API keeps an idempotency key, in ms from the first send that it looked up. Default 24 h. */
  readonly keyTtlMs?: number;
  /** Seed of the random faults, an integer. Default 1. */
  readonly seed?: number;
  /** Rate of each random fault, 0 to 1, at most 1 in sum; for sends whose body has no plan. Default none. */
  readonly faults?: Readonly<Partial<Record<FaultName, number>>>;
  /** How long the API takes to run a write, in ms; its key is in progress meanwhile. Default 0. */
  readonly latencyMs?: number;
}

export type ResolvedOptions = Required<SandboxOptions>;

const DEFAULTS: ResolvedOptions = {
  port: 0,
  host: '127.0.0.1',
  apiKey: 'sandbox-key',
  keyTtlMs: 86_400_000,
  seed: 1,
  faults: {},
  latencyMs: 0,
};

const MAX_LATENCY_MS = 600_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Throws a RangeError that names every wrong value. */
export function resolveOptions(given: SandboxOptions): ResolvedOptions {
  const options = { ...DEFAULTS, ...given };
  const { port, host, apiKey, keyTtlMs, seed, faults, latencyMs } = options;
  const problems: string[] = [];
  const require = (holds: boolean, name: string, value: unknown, allowed: string) => {
    if (!holds) problems.push(`${name} is ${inspect(value)}: ${allowed}`);
  };
  require(Number.isInteger(port) && port >= 0 && port <= 65_535, 'port', port, 'a whole number from 0 to 65535');
  require(isLoopback(
    host,
  ), 'host', host, 'only loopback is served (127.0.0.1, ::1, localhost): the sandbox is no public API');
  require(apiKey !== '', 'apiKey', apiKey, 'a non-empty string');
  require(keyTtlMs > 0, 'keyTtlMs', keyTtlMs, 'more than 0 ms');
  require(Number.isInteger(seed), 'seed', seed, 'a whole number');
  require(latencyMs >= 0 && latencyMs <= MAX_LATENCY_MS, 'latencyMs', latencyMs, `0 to ${MAX_LATENCY_MS} ms`);
  let rateSum = 0;
  for (const [name, rate = 0] of Object.entries(faults)) {
    require(parseStep(name) !== undefined, 'a name in faults', name, `one of ${ALLOWED_STEPS.join(', ')}`);
    require(rate >= 0 && rate <= 1, `faults['${name}']`, rate, 'a rate from 0 to 1');
    rateSum += rate;
  }
  // The slack is for sums such as 0.1 + 0.2 + 0.7, which floating point puts above 1.
  require(rateSum <= 1 + 1e-9, 'the sum of faults', rateSum, 'at most 1, since a send has at most one fault');
  if (problems.length > 0) throw new RangeError(`The sandbox cannot start. ${problems.join('. ')}.`);
  return options;
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
