// What became of the replayed writes of an operation: read from where they stand, a batch at a time, so that no event is
// needed and any runner can go on.
import { getLetter } from '../dead-letters.ts';
import { deadQueueName, prefixOf } from '../keys.ts';
import { letterCode } from '../letter-filter.ts';
import type { Reader } from '../reader.ts';
import { operationKeys } from './keys.ts';
import { letterAfter, parseDetail } from './read.ts';
import { DEAD_AGAIN, DELIVERED, UNDERWAY } from './results.ts';

const BATCH = 200;

export interface Ended {
  index: number;
  character: typeof DELIVERED | typeof DEAD_AGAIN;
  /** Of one that is dead again: what it died of. */
  code: string;
}

/**
 * Looks at some of those whose end is not known.
 * @param from the index to begin with
 * @returns those that have ended, and where the next look begins; 0 at the end
 */
export async function lookAtEnds(
  reader: Reader,
  destination: string,
  id: string,
  from: number,
): Promise<{ ended: Ended[]; next: number }> {
  const keys = operationKeys(destination, id);
  const results = (await reader.client.get(keys.results)) ?? '';
  const indexes: number[] = [];
  let at = results.indexOf(UNDERWAY, from);
  for (; at !== -1 && indexes.length < BATCH; at = results.indexOf(UNDERWAY, at + 1)) indexes.push(at);
  if (indexes.length === 0) return { ended: [], next: 0 };
  const pipeline = reader.client.pipeline();
  for (const index of indexes) pipeline.lindex(keys.items, index).hget(keys.details, String(index));
  const replies = await repliesOf(pipeline);
  const sent = indexes.map((index, i) => {
    const detail = parseDetail(replies[2 * i + 1] as string | null);
    return { index, jobId: detail.jobId ?? '', letter: letterAfter(String(replies[2 * i]), detail) ?? '' };
  });
  const base = prefixOf(destination);
  const looks = reader.client.pipeline();
  for (const { jobId, letter } of sent) {
    looks.exists(`${base}:${deadQueueName(destination)}:${letter}`).zscore(`${base}:${destination}:completed`, jobId);
  }
  const found = await repliesOf(looks);
  const ended: Ended[] = [];
  for (const [i, { index, letter }] of sent.entries()) {
    if (found[2 * i] === 1) {
      const again = await getLetter(reader, destination, letter);
      const code = (again && letterCode(again)) ?? again?.reason ?? 'an unknown reason';
      ended.push({ index, character: DEAD_AGAIN, code });
    } else if (found[2 * i + 1] !== null) ended.push({ index, character: DELIVERED, code: '' });
  }
  return { ended, next: at === -1 ? 0 : at };
}

async function repliesOf(pipeline: ReturnType<Reader['client']['pipeline']>): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
