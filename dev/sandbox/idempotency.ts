// The API's memory of idempotency keys: which payload a key was first used with, whether that first run has ended, and
// the answer it gave. A claim is one synchronous step, so two sends at once can never both run.

import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';

const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;

export type KeyHeader =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'key'; readonly key: string };

export function readKeyHeader(request: IncomingMessage): KeyHeader {
  const values = request.headersDistinct['idempotency-key'];
  if (values === undefined) return { kind: 'absent' };
  const [key] = values;
  // Two headers would be joined into one plausible key that neither sender meant.
  if (key === undefined || values.length > 1 || !PRINTABLE_ASCII.test(key)) return { kind: 'malformed' };
  return { kind: 'key', key };
}

export type Claim =
  /** The caller runs the write now and must settle the claim with its answer. */
  | { readonly kind: 'run'; readonly settle: (answer: Answer) => void }
  | { readonly kind: 'replay'; readonly answer: Answer }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'in-progress' };

interface KeyRecord {
  readonly payloadSha256: string;
  readonly claimedAt: number;
  answer: Answer | undefined;
}

export class IdempotencyKeys {
  // In the order of claimedAt: an expired key is deleted before it is claimed anew.
  readonly #records = new Map<string, KeyRecord>();
  readonly #ttlMs: number;

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  claim(key: string, payloadSha256: string, now: number): Claim {
    this.#forgetExpired(now);
    const known = this.#records.get(key);
    if (known === undefined || this.#isExpired(known, now)) {
      const record: KeyRecord = { payloadSha256, claimedAt: now, answer: undefined };
      this.#records.delete(key);
      this.#records.set(key, record);
      return { kind: 'run', settle: (answer) => (record.answer = answer) };
    }
    if (known.payloadSha256 !== payloadSha256) return { kind: 'conflict' };
    return known.answer === undefined ? { kind: 'in-progress' } : { kind: 'replay', answer: known.answer };
  }

  #forgetExpired(now: number): void {
    for (const [key, record] of this.#records) {
      if (!this.#isExpired(record, now)) return;
      this.#records.delete(key);
    }
  }

  /** A run that outlasts its key's life keeps the key until it ends: expiry must not let two of them run at once. */
  #isExpired(record: KeyRecord, now: number): boolean {
    return record.answer !== undefined && now - record.claimedAt >= this.#ttlMs;
  }
}
