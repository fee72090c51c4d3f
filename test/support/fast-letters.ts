// Thousands of dead letters in a moment: written as the script that dead-letters writes them, a pipeline for many.
import { emptyJournal } from '../../core/journal.ts';
import { DESTINATIONS_KEY, deadQueueName, prefixOf, rowKeys } from '../../queue/keys.ts';
import { deadLetter } from '../../queue/letter.ts';
import { letterJobJson } from '../../queue/letter-job.ts';
import type { Reader } from '../../queue/reader.ts';

const POLICY = { keyTtlMs: 86_400_000, timeoutMs: 1000 };
const AT_ONCE = 500;

/** @returns the letters' ids; they died a millisecond apart, the last one a second ago. */
export async function fillLetters(reader: Reader, destination: string, count: number): Promise<string[]> {
  const dead = `${prefixOf(destination)}:${deadQueueName(destination)}`;
  const lastAt = (await reader.now()) - 1000;
  const ids: string[] = [];
  await reader.client.hset(DESTINATIONS_KEY, destination, lastAt);
  for (let from = 0; from < count; from += AT_ONCE) {
    const pipeline = reader.client.pipeline();
    for (let i = from; i < Math.min(count, from + AT_ONCE); i++) {
      const at = lastAt - count + i;
      const letter = deadLetter(
        {
          destination,
          jobId: `w${String(i).padStart(6, '0')}`,
          enqueuedAt: at,
          reason: 'invalid',
          because: 'it was filled in',
          lost: 0,
          journal: emptyJournal(),
        },
        POLICY,
        at,
      );
      const { name, data, opts, timestamp } = letterJobJson(letter);
      const job = { name, data, opts: JSON.stringify(opts), timestamp, delay: 0, priority: 1 };
      pipeline
        .hset(`${dead}:${letter.id}`, job)
        .zadd(`${dead}:prioritized`, 0x100000000 + i, letter.id)
        .zadd(rowKeys(destination).byTime, at, letter.id);
      ids.push(letter.id);
    }
    await pipeline.exec();
  }
  return ids;
}
