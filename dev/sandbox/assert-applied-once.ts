// The question that a test asks the oracle: was this write applied once, and was it the same write at every send?

import type { LedgerEntry, LedgerSend } from './ledger.ts';
import { LEDGER_PATH } from './ledger-endpoint.ts';
import type { Sandbox } from './server.ts';

const READ_TIMEOUT_MS = 10_000;

/**
 * Resolves when the write of this idempotency key was applied exactly once and each of its sends had the same payload.
 *
 * `source` is a sandbox, or the URL of one in another process: its ledger's, or just its origin. Rejects with an Error that
 * says what was found instead, with every send and its time; also where the ledger cannot be read within 10 s.
 * The rule is the contract's: one key, one payload, one effect, however often it is sent.
 */
export async function assertAppliedOnce(source: Sandbox | string, key: string): Promise<void> {
  const entry = typeof source === 'string' ? await readEntry(source, key) : source.entry(key);
  const name = `The write with idempotency key ${JSON.stringify(key)}`;
  if (entry === undefined) throw new Error(`${name} was never sent: the sandbox's ledger has no send of this key.`);
  const { applications, payloadHashes } = entry;
  const faults: string[] = [];
  if (applications !== 1)
    faults.push(`was applied ${applications === 0 ? 'not at all' : `${applications} times`}, not once`);
  if (payloadHashes.length !== 1) faults.push(`was sent with ${payloadHashes.length} different payloads, not one`);
  if (faults.length === 0) return;
  throw new Error(
    [`${name} ${faults.join(' and ')}. Sends: ${entry.sends.length}.`, ...entry.sends.map(describe)].join('\n'),
  );
}

async function readEntry(source: string, key: string): Promise<LedgerEntry | undefined> {
  const url = new URL(LEDGER_PATH, source);
  url.searchParams.set('key', key);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const entry: LedgerEntry = JSON.parse(await response.text());
    return entry;
  } catch (cause) {
    throw new Error(`The sandbox's ledger could not be read at ${url.href}. Is it a sandbox, and does it run?`, {
      cause,
    });
  }
}

function describe(send: LedgerSend, index: number): string {
  const { at, path, step, status, applied, payloadSha256 } = send;
  return [
    `  ${index + 1}. ${new Date(at).toISOString()}`,
    path,
    `step ${step ?? 'none'}`,
    status === null ? 'no answer' : `answered ${status}`,
    applied ? 'applied' : 'not applied',
    `payload ${payloadSha256.slice(0, 12)}`,
  ].join(', ');
}
