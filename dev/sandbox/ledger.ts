// The truth about every send that passed authentication: when, with which payload, what was answered, and whether it
// applied the effect. Kept apart from the idempotency keys, so that it counts what happened and not what should have.

/** One send of a write. */
export interface LedgerSend {
  /** Epoch milliseconds at which its body had arrived. */
  readonly at: number;
  /** Hex SHA-256 of `METHOD target\n` and the raw body: what the API compares under one key. */
  readonly payloadSha256: string;
  /** The request target: path and query. */
  readonly path: string;
  /** Which of the API's keys it bore, from 0; missing where there is but one. */
  readonly client?: number;
  /** The plan step or random fault of this send; null where it was refused before one was chosen. */
  readonly step: string | null;
  /** The status that was put on the wire; null while there is none, and for good where the client got no answer. */
  readonly status: number | null;
  /** Whether this very send applied the effect; false for a replay of one that did. */
  readonly applied: boolean;
}

/** All sends of one idempotency key; the arrays are in the order of arrival. */
export interface LedgerEntry {
  readonly key: string;
  readonly sends: readonly LedgerSend[];
  /** How often the effect was really applied. */
  readonly applications: number;
  /** Distinct payloadSha256 values. */
  readonly payloadHashes: readonly string[];
  /** Epoch milliseconds of the first and the last send. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Sends without a usable Idempotency-Key: each runs, and nothing ties them together. */
export interface AnonymousSends {
  readonly sends: readonly LedgerSend[];
  readonly applications: number;
}

export interface Ledger {
  readonly keys: Readonly<Record<string, LedgerEntry>>;
  readonly anonymous: AnonymousSends;
}

/** A send whose line in the ledger is still being written. */
export interface OpenSend {
  readonly chose: (step: string) => void;
  readonly applied: () => void;
  readonly answered: (status: number) => void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Line = Mutable<LedgerSend>;

export class LedgerBook {
  readonly #keys = new Map<string, Line[]>();
  readonly #anonymous: Line[] = [];

  open(key: string | undefined, sent: Pick<LedgerSend, 'at' | 'payloadSha256' | 'path' | 'client'>): OpenSend {
    const line: Line = { ...sent, step: null, status: null, applied: false };
    this.#linesOf(key).push(line);
    return {
      chose: (step) => void (line.step = step),
      applied: () => void (line.applied = true),
      answered: (status) => void (line.status = status),
    };
  }

  /** A copy: later sends do not change it. */
  entry(key: string): LedgerEntry | undefined {
    const lines = this.#keys.get(key);
    return lines === undefined ? undefined : entryOf(key, lines);
  }

  /** A copy, as entry() gives. */
  snapshot(): Ledger {
    return {
      // Not by assignment: "__proto__" is a valid idempotency key.
      keys: Object.fromEntries([...this.#keys].map(([key, lines]) => [key, entryOf(key, lines)])),
      anonymous: { sends: structuredClone(this.#anonymous), applications: countApplied(this.#anonymous) },
    };
  }

  clear(): void {
    this.#keys.clear();
    this.#anonymous.length = 0;
  }

  #linesOf(key: string | undefined): Line[] {
    if (key === undefined) return this.#anonymous;
    const lines = this.#keys.get(key) ?? [];
    this.#keys.set(key, lines);
    return lines;
  }
}

function entryOf(key: string, lines: readonly Line[]): LedgerEntry {
  const times = lines.map((line) => line.at);
  return {
    key,
    sends: structuredClone(lines),
    applications: countApplied(lines),
    payloadHashes: [...new Set(lines.map((line) => line.payloadSha256))],
    firstAt: times[0] ?? 0,
    lastAt: times.at(-1) ?? 0,
  };
}

function countApplied(lines: readonly Line[]): number {
  return lines.filter((line) => line.applied).length;
}
