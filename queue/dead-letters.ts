// Reading the dead letters of a destination, newest first or as a stream of all.
import type { DeadLetter } from './letter.ts';
import { deadQueueName, prefixOf, rowKeys } from './keys.ts';
import type { Reader } from './reader.ts';

const PAGE = 200;

/** @returns the letter, or undefined when there is none under this id */
export async function getLetter(reader: Reader, destination: string, id: string): Promise<DeadLetter | undefined> {
  const [letter] = await read(reader, destination, [id]);
  return letter;
}

/** The newest letters of one destination. */
export async function listLetters(reader: Reader, destination: string, limit: number): Promise<DeadLetter[]> {
  return read(reader, destination, await reader.client.zrevrange(rowKeys(destination).byTime, 0, limit - 1));
}

/** Every letter of a destination, the oldest first, a page at a time; what dies meanwhile comes at the end. */
export async function* exportLetters(reader: Reader, destination: string): AsyncGenerator<DeadLetter> {
  const key = rowKeys(destination).byTime;
  let from = 0;
  // Letters of the same millisecond may be cut by a page: the next page starts with that millisecond again.
  let seen = new Set<string>();
  for (;;) {
    const rows = await reader.client.zrangebyscore(key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, PAGE + seen.size);
    const page: { id: string; at: number }[] = [];
    for (let i = 0; i + 1 < rows.length; i += 2) page.push({ id: rows[i] ?? '', at: Number(rows[i + 1]) });
    const fresh = page.filter(({ id }) => !seen.has(id));
    const last = fresh.at(-1);
    if (!last) return;
    yield* await read(
      reader,
      destination,
      fresh.map(({ id }) => id),
    );
    const sameTime = page.filter(({ at }) => at === last.at).map(({ id }) => id);
    seen = last.at === from ? new Set([...seen, ...sameTime]) : new Set(sameTime);
    from = last.at;
  }
}

/** How many letters a destination has. */
export async function countLetters(reader: Reader, destination: string): Promise<number> {
  return reader.client.zcard(rowKeys(destination).byTime);
}

/** The destination and id of the letter that holds a request_id, among those given. */
export async function letterOfRequestId(
  reader: Reader,
  names: readonly string[],
  requestId: string,
): Promise<{ destination: string; id: string } | undefined> {
  for (const destination of names) {
    const id = await reader.client.hget(rowKeys(destination).byRequestId, requestId);
    if (id !== null) return { destination, id };
  }
  return undefined;
}

async function read(reader: Reader, destination: string, ids: readonly string[]): Promise<DeadLetter[]> {
  if (ids.length === 0) return [];
  const base = `${prefixOf(destination)}:${deadQueueName(destination)}:`;
  const pipeline = reader.client.pipeline();
  for (const id of ids) pipeline.hget(base + id, 'data');
  const replies = (await pipeline.exec()) ?? [];
  return replies.flatMap(([error, data]) => {
    if (error) throw error;
    // Gone since its row was read.
    return typeof data === 'string' ? [JSON.parse(data) as DeadLetter] : [];
  });
}
