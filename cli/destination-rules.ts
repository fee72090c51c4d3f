// What doctor thinks of a destination's configuration and of the API behind it: facts in, findings out.
import { isIP } from 'node:net';
import { backOff } from '../core/back-off.ts';
import type { Config, DestinationConfig } from '../core/config.ts';
import type { Finding } from '../core/finding.ts';
import type { Reach } from './reach.ts';

const DAY_MS = 86_400_000;
/** A certificate is renewed well before. */
const EXPIRES_SOON_MS = 14 * DAY_MS;
/** A worker that is busy for longer, with one big answer or a pause of the machine, loses its writes to another. */
const SHORT_LOCK_MS = 5000;
/** An address takes this share of the time that an attempt has, before it is worth a word. */
const SLOW_CONNECT_SHARE = 0.5;

/** Where the destination's credential comes from, never what it is. */
export type Credential =
  | 'none needed'
  | 'set'
  | { missing: string }
  | { unreadable: string }
  | { variable: string; fault: string };

export function judgeCredential(destination: string, credential: Credential): Finding {
  const base = { check: 'credential', subject: destination };
  if (credential === 'none needed') return { ...base, level: 'ok', found: 'none is configured' };
  if (credential === 'set') return { ...base, level: 'ok', found: 'set' };
  const advice = 'A worker in this environment would not start; one that only adds writes needs none.';
  if ('missing' in credential)
    return {
      ...base,
      level: 'warning',
      found: `${credential.missing} is not set, nor ${credential.missing}_FILE`,
      advice,
    };
  if ('fault' in credential)
    return { ...base, level: 'warning', found: `the value of ${credential.variable} ${credential.fault}`, advice };
  return { ...base, level: 'warning', found: `${credential.unreadable} cannot be read`, advice };
}

const FAILED = {
  name: 'its name is not resolved',
  connection: 'it takes no connection',
  handshake: 'the TLS handshake fails',
};

/** @param now epoch ms */
export function judgeReach(destination: string, config: DestinationConfig, reach: Reach, now: number): Finding[] {
  const { host, protocol, hostname } = new URL(config.baseUrl);
  const base = { check: 'address', subject: destination };
  if ('failedAt' in reach) {
    const { failedAt, code } = reach;
    const found = `${host}: ${FAILED[failedAt]} (${code})`;
    return [{ ...base, level: 'problem', found, advice: 'Is baseUrl right, and may this machine reach it?' }];
  }
  const { addresses, connectMs, tls } = reach;
  const at = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? ` at ${addresses.slice(0, 3).join(', ')}` : '';
  const found = `${host}${at} takes connections, in ${Math.max(1, Math.round(connectMs))} ms`;
  const findings: Finding[] = [];
  if (connectMs > config.timeoutMs * SLOW_CONNECT_SHARE)
    findings.push({
      ...base,
      level: 'warning',
      found,
      advice: `An attempt has ${config.timeoutMs} ms in all: raise timeoutMs.`,
    });
  else if (protocol === 'http:' && config.auth && !isLoopback(addresses))
    findings.push({ ...base, level: 'warning', found, advice: 'The credential goes there unencrypted: use https.' });
  else findings.push({ ...base, level: 'ok', found });
  if (tls) findings.push(judgeCertificate(destination, tls, now));
  return findings;
}

function judgeCertificate(
  destination: string,
  { protocol, validUntil, fault }: NonNullable<Extract<Reach, { addresses: string[] }>['tls']>,
  now: number,
): Finding {
  const base = { check: 'certificate', subject: destination };
  if (fault !== undefined)
    return {
      ...base,
      level: 'problem',
      found: `it does not convince (${fault}): a worker sends nothing there`,
      advice: 'Mend it at the API. An authority of your own goes into NODE_EXTRA_CA_CERTS.',
    };
  const days = Math.floor((validUntil - now) / DAY_MS);
  const found = `${protocol}, valid for ${days} more day(s)`;
  if (validUntil - now < EXPIRES_SOON_MS)
    return { ...base, level: 'warning', found, advice: 'Have it renewed: after that no write is sent there.' };
  return { ...base, level: 'ok', found };
}

const isLoopback = (addresses: readonly string[]): boolean =>
  addresses.every((address) => address === '::1' || address.startsWith('127.'));

/** Settings that are allowed, and do not go together well. */
export function judgeSettings(destination: string, config: DestinationConfig, worker: Config['worker']): Finding[] {
  const base = { check: 'settings', subject: destination };
  const findings: Finding[] = [];
  const longestMs = longestLifeMs(config);
  const { ttlMs } = config.idempotency;
  if (longestMs > ttlMs)
    findings.push({
      ...base,
      level: 'warning',
      found: `${config.retry.maxAttempts} attempts may take ${hours(longestMs)}, the API keeps a key for ${hours(ttlMs)}: the last ones are not sent`,
      advice: 'Lower retry.maxAttempts or retry.capMs; raise idempotency.ttlMs only if the API keeps keys for longer.',
    });
  if (worker.graceMs !== undefined && worker.graceMs < config.timeoutMs)
    findings.push({
      ...base,
      level: 'warning',
      found: `worker.graceMs (${worker.graceMs}) is shorter than timeoutMs (${config.timeoutMs}): a stop cuts slow attempts off`,
      advice: 'Leave graceMs out, or raise it.',
    });
  return findings.length > 0 ? findings : [{ ...base, level: 'ok', found: 'they go together' }];
}

export function judgeWorker({ lockMs }: Config['worker']): Finding {
  const base = { check: 'settings', subject: 'worker' };
  if (lockMs >= SHORT_LOCK_MS) return { ...base, level: 'ok', found: `lockMs is ${lockMs}` };
  return {
    ...base,
    level: 'warning',
    found: `lockMs is ${lockMs}: a worker that is busy for as long loses its writes to another, which sends them again`,
    advice: `Raise it to ${SHORT_LOCK_MS} or more.`,
  };
}

/** All attempts at their slowest, and the longest waits between them that the API did not ask for. */
function longestLifeMs({ retry, timeoutMs }: DestinationConfig): number {
  let total = retry.maxAttempts * timeoutMs;
  for (let n = 1; n < retry.maxAttempts; n += 1) total += backOff(n, retry, 1).delayMs;
  return total;
}

const hours = (ms: number): string => `${(ms / 3_600_000).toFixed(1)} h`;
