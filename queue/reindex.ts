// Lookup rows put right out of what the letters and the writes themselves say, beside running workers and operators: what
// leads nowhere is taken away, what is missing is added, a slice at a time. One that was killed is begun again.
import { readJournal } from '../core/journal.ts';
import { lookAtLetters } from './dead-letters.ts';
import { classKey, deadQueueName, prefixOf, rowKeys } from './keys.ts';
import { classOf, OTHER_CLASS } from './letter-class.ts';
import { requestIdsOf } from './letter.ts';
import type { Reader } from './reader.ts';
import { runScript } from './rows.ts';
import { FILE_LETTER, FILE_REQUESTS, SWEEP_REQUESTS, SWEEP_ROW } from './scripts/reindex.ts';

export interface Reindexed {
  /** Open letters that were gone through. */
  letters: number;
  /** Rows that led nowhere, or to the wrong place. */
  removed: number;
  /** Rows that were missing, or not right. */
  added: number;
}

const SLICE = 200;
/** Letters may hold bodies of megabytes. */
const READ = 20;
/** A write that changes its place meanwhile may be passed over: it is gone through again until nothing was missing. */
const MAX_PASSES = 5;

/** @throws the reason of `signal` once it is aborted; what was done until then is right */
export async function reindex(
  reader: Reader,
  destination: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Reindexed> {
  const work = new Reindex(reader, destination, signal);
  const removed = await work.sweep();
  const done: Reindexed = { letters: 0, removed, added: 0 };
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    const { letters, added } = await work.file();
    done.letters = letters;
    done.added += added;
    if (added === 0) break;
  }
  return done;
}

class Reindex {
  readonly #reader: Reader;
  readonly #destination: string;
  readonly #signal: AbortSignal | undefined;
  readonly #base: string;
  readonly #deadBase: string;

  constructor(reader: Reader, destination: string, signal: AbortSignal | undefined) {
    this.#reader = reader;
    this.#destination = destination;
    this.#signal = signal;
    this.#base = `${prefixOf(destination)}:${destination}:`;
    this.#deadBase = `${prefixOf(destination)}:${deadQueueName(destination)}:`;
  }

  get #open(): string {
    return `${this.#deadBase}prioritized`;
  }

  get #rows() {
    return rowKeys(this.#destination);
  }

  /** Takes away what leads nowhere. */
  async sweep(): Promise<number> {
    const { byTime, classes } = this.#rows;
    let removed = await this.#sweepRow(byTime, '');
    for (const id of [...(await this.#reader.client.hkeys(classes)), OTHER_CLASS]) {
      removed += await this.#sweepRow(classKey(this.#destination, id), id);
    }
    return removed + (await this.#sweepRequests());
  }

  async #sweepRow(row: string, classId: string): Promise<number> {
    let removed = 0;
    let cursor = '0';
    do {
      this.#signal?.throwIfAborted();
      const keys = [row, this.#open, this.#rows.classes];
      const reply = await runScript(this.#reader, SWEEP_ROW, keys, [cursor, SLICE, this.#deadBase, classId]);
      const [next, gone] = reply as [string, number];
      cursor = next;
      removed += gone;
    } while (cursor !== '0');
    return removed;
  }

  async #sweepRequests(): Promise<number> {
    const { byRequestId } = this.#rows;
    let removed = 0;
    for await (const entries of this.#scan('hscan', byRequestId)) {
      for (const some of chunks(entries, READ)) {
        const args = some.flatMap(([requestId, id]) => [requestId, id, inJournal(requestId)]);
        const keys = [byRequestId];
        removed += Number(await runScript(this.#reader, SWEEP_REQUESTS, keys, [this.#base, this.#deadBase, ...args]));
      }
    }
    return removed;
  }

  /** Adds what is missing. */
  async file(): Promise<{ letters: number; added: number }> {
    let letters = 0;
    let added = 0;
    for (const set of ['prioritized', 'completed', 'failed']) {
      for await (const entries of this.#scan('zscan', this.#deadBase + set)) {
        if (set === 'prioritized') letters += entries.length;
        for (const some of chunks(entries, READ)) {
          added += await this.#fileLetters(
            some.map(([id]) => id),
            set === 'prioritized',
          );
        }
      }
    }
    for await (const ids of this.#writes()) {
      for (const some of chunks(ids, READ)) added += await this.#fileWrites(some);
    }
    return { letters, added };
  }

  async #fileLetters(ids: readonly string[], areOpen: boolean): Promise<number> {
    const { byTime, byRequestId, classes } = this.#rows;
    const found = await lookAtLetters(this.#reader, this.#destination, ids);
    const filed = found.flatMap((letter, i) => {
      if (!letter) return [];
      const id = ids[i] ?? '';
      const letterKey = this.#deadBase + id;
      const { id: classId, facets } = classOf(letter);
      const requestIds = letter.journal ? requestIdsOf(letter.journal) : [];
      const work = [this.#fileRequests(byRequestId, letterKey, id, 'data', requestIds)];
      if (areOpen) {
        const keys = [letterKey, this.#open, byTime, classes];
        work.push(runScript(this.#reader, FILE_LETTER, keys, [id, letter.deadAt, classId, facets]));
      }
      return work;
    });
    return sum(await Promise.all(filed));
  }

  /** Of writes that are retried, or were delivered in the end. */
  async #fileWrites(ids: readonly string[]): Promise<number> {
    const pipeline = this.#reader.client.pipeline();
    for (const id of ids) pipeline.hget(this.#base + id, 'progress');
    const replies = (await pipeline.exec()) ?? [];
    const filed = ids.map((id, i) => {
      const text = replies[i]?.[1];
      const requestIds = requestIdsOf(readJournal(parse(text)));
      return this.#fileRequests(this.#rows.byRequestId, this.#base + id, id, 'progress', requestIds);
    });
    return sum(await Promise.all(filed));
  }

  async #fileRequests(
    row: string,
    key: string,
    id: string,
    field: string,
    requestIds: readonly string[],
  ): Promise<unknown> {
    if (requestIds.length === 0) return 0;
    const pairs = requestIds.flatMap((requestId) => [requestId, inJournal(requestId)]);
    return runScript(this.#reader, FILE_REQUESTS, [row, key], [id, field, ...pairs]);
  }

  /** Job ids of all writes that are not dead; those that are delivered meanwhile come at the end. */
  async *#writes(): AsyncGenerator<string[]> {
    const { client } = this.#reader;
    const names = (entries: [string, string][]): string[] => entries.map(([id]) => id);
    for await (const entries of this.#scan('zscan', `${this.#base}delayed`)) yield names(entries);
    for (const list of ['wait', 'paused', 'active']) {
      for (let from = 0; ; from += SLICE) {
        const ids = await client.lrange(this.#base + list, from, from + SLICE - 1);
        if (ids.length === 0) break;
        this.#signal?.throwIfAborted();
        yield ids;
      }
    }
    for (const set of ['prioritized', 'completed']) {
      for await (const entries of this.#scan('zscan', this.#base + set)) yield names(entries);
    }
  }

  /** The entries of a sorted set or a hash; those that stand there all the time are not missed. */
  async *#scan(command: 'zscan' | 'hscan', key: string): AsyncGenerator<[string, string][]> {
    let cursor = '0';
    do {
      this.#signal?.throwIfAborted();
      const [next, found] = await this.#reader.client[command](key, cursor, 'COUNT', SLICE);
      cursor = next;
      yield chunks(found, 2) as [string, string][];
    } while (cursor !== '0');
  }
}

/** How a request_id stands in a journal's text. A text inside of JSON cannot hold it: its quotes have backslashes. */
const inJournal = (requestId: string): string => `"requestId":${JSON.stringify(requestId)}`;

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

const sum = (counts: readonly unknown[]): number => counts.reduce<number>((all, count) => all + Number(count), 0);

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
