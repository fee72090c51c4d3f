// Where every write stands in Redis, read in bulk and past our own finders: they are what is judged.
import type { Cluster, Redis } from 'ioredis';
import { type Journal, readJournal } from '../../core/journal.ts';
import { isRecord } from '../../core/json.ts';
import type { Verdict } from '../../core/verdict.ts';
import { verdictOfDelivered } from '../../core/verdict.ts';
import { jobIdOf } from '../../core/write.ts';
import { type FiledLetter, letters, type UnreadableLetter } from '../../queue/dead-letters.ts';
import { deadQueueName, jobIdOfLetter, prefixOf } from '../../queue/keys.ts';
import type { Reader } from '../../queue/reader.ts';
import { asTombstone } from '../../queue/tombstone.ts';

const READ = 1000;
const LETTER_STATES = ['open', 'replayed', 'discarded'] as const;

export interface End {
  /** Every place where the write stands: one. */
  readonly places: readonly string[];
  readonly verdict?: Verdict;
  readonly journal?: Journal;
  /** Starts that its letter says are lost, beside those of the journal. */
  readonly lost: number;
  /** How often its newest generation was started, where that was delivered. */
  readonly starts?: number;
  /** Of its newest generation. */
  readonly letter?: FiledLetter | UnreadableLetter;
  /** Of every generation, the first one first. */
  readonly letters: readonly (FiledLetter | UnreadableLetter)[];
}

export interface Ends {
  of(key: string): End;
  readonly letterIds: readonly string[];
  /** Dead letters of no write that the ledger knows. */
  strayLetters(keys: Iterable<string>): string[];
}

/** Reads all that stands at a destination. */
export async function readEnds(reader: Reader, destination: string): Promise<Ends> {
  const { client } = reader;
  const queue = `${prefixOf(destination)}:${destination}:`;
  const dead = `${prefixOf(destination)}:${deadQueueName(destination)}:`;
  const members = async (key: string): Promise<Set<string>> => new Set(await client.zrange(key, '0', '-1'));
  const list = async (key: string): Promise<Set<string>> => new Set(await client.lrange(key, 0, -1));
  const places = {
    waiting: await list(`${queue}wait`),
    active: await list(`${queue}active`),
    delayed: await members(`${queue}delayed`),
    prioritized: await members(`${queue}prioritized`),
    delivered: await members(`${queue}completed`),
    failed: await members(`${queue}failed`),
  };
  const filed: Record<(typeof LETTER_STATES)[number], Set<string>> = {
    open: await members(`${dead}prioritized`),
    replayed: await members(`${dead}completed`),
    discarded: await members(`${dead}failed`),
  };
  const byJob = new Map<string, (FiledLetter | UnreadableLetter)[]>();
  const letterIds: string[] = [];
  for (const state of LETTER_STATES) {
    for await (const letter of letters(reader, destination, { state })) {
      letterIds.push(letter.id);
      byJob.set(letter.jobId, [...(byJob.get(letter.jobId) ?? []), letter]);
    }
  }
  const journals = await readJournals(client, queue, places.delivered);

  return {
    letterIds,
    strayLetters: (known) => {
      const ids = new Set([...known].map((key) => jobIdOf(key)));
      return letterIds.filter((id) => !ids.has(jobIdOfLetter(id)));
    },
    of: (key) => {
      const jobId = jobIdOf(key);
      const own = (byJob.get(jobId) ?? []).toSorted((a, b) => generation(a.id) - generation(b.id));
      const open = own.filter(({ id }) => filed.open.has(id));
      const discarded = own.filter(({ id }) => filed.discarded.has(id));
      const found: string[] = [
        ...(['waiting', 'active', 'delayed', 'prioritized'] as const).filter((place) => places[place].has(jobId)),
        ...(places.delivered.has(jobId) ? ['delivered'] : []),
        ...open.map(() => 'dead'),
        ...discarded.map(() => 'discarded'),
      ];
      const last = own.at(-1)?.acts.at(-1);
      const isMoved = filed.replayed.has(own.at(-1)?.id ?? '') && last?.newKey !== undefined;
      // Its write goes on under another key, which has an end of its own.
      if (isMoved) found.push('moved');
      // A tombstone of the dead without its letter, or the other way round, is half an end.
      const isFiled = open.length + discarded.length > 0;
      if (places.failed.has(jobId) && !isFiled && !isMoved) found.push('failed without a letter');
      if (isFiled && !places.failed.has(jobId) && !places.delivered.has(jobId)) found.push('a letter without its job');
      const letter = own.at(-1);
      const delivered = journals.get(jobId);
      if (delivered) {
        return {
          places: found,
          verdict: verdictOfDelivered(delivered.journal),
          journal: delivered.journal,
          lost: 0,
          starts: delivered.starts,
          letters: own,
          ...(letter && { letter }),
        };
      }
      return {
        places: found,
        lost: letter?.lost ?? 0,
        letters: own,
        ...(letter && { letter }),
        ...(letter?.journal && { journal: letter.journal }),
        ...(letter?.verdict && { verdict: letter.verdict }),
      };
    },
  };
}

/** The same of the worker that everybody writes, whose dead letters are jobs of another queue. */
export async function readUsualEnds(reader: Reader, destination: string): Promise<Ends> {
  const queue = reader.queue(destination);
  const idsIn = async (state: 'completed' | 'failed' | 'wait' | 'active' | 'delayed'): Promise<Set<string>> =>
    new Set((await queue.getJobs([state])).map(({ id }) => id ?? ''));
  const places = {
    waiting: await idsIn('wait'),
    active: await idsIn('active'),
    delayed: await idsIn('delayed'),
    delivered: await idsIn('completed'),
  };
  const failed = await idsIn('failed');
  const filed = new Map<string, number>();
  for (const { data } of await reader.queue(destination, deadQueueName(destination)).getJobs(['wait'])) {
    const { write } = data as { write?: { idempotencyKey?: string } };
    const jobId = jobIdOf(write?.idempotencyKey ?? '');
    filed.set(jobId, (filed.get(jobId) ?? 0) + 1);
  }
  return {
    letterIds: [...filed.keys()],
    strayLetters: () => [],
    of: (key) => {
      const jobId = jobIdOf(key);
      const count = filed.get(jobId) ?? 0;
      return {
        places: [
          ...(['waiting', 'active', 'delayed', 'delivered'] as const).filter((place) => places[place].has(jobId)),
          ...Array.from({ length: count }, () => 'dead'),
          ...(failed.has(jobId) && count === 0 ? ['failed without a letter'] : []),
        ],
        lost: 0,
        letters: [],
      };
    },
  };
}

const generation = (id: string): number => Number(id.slice(id.lastIndexOf('.g') + 2));

async function readJournals(
  client: Redis | Cluster,
  queue: string,
  ids: ReadonlySet<string>,
): Promise<Map<string, { journal: Journal; starts: number }>> {
  const found = new Map<string, { journal: Journal; starts: number }>();
  const all = [...ids];
  for (let from = 0; from < all.length; from += READ) {
    const slice = all.slice(from, from + READ);
    const pipeline = client.pipeline();
    for (const id of slice) pipeline.hmget(queue + id, 'data', 'progress', 'ats');
    const answers = (await pipeline.exec()) ?? [];
    slice.forEach((id, i) => {
      const [data, progress, starts] = (answers[i]?.[1] ?? []) as (string | null)[];
      // What is delivered and has no tombstone is no end that a person can read. A count that was damaged counts nothing.
      if (data && asTombstone(parsed(data))?.settled === 'delivered')
        found.set(id, { journal: readJournal(parsed(progress ?? 'null')), starts: Number(starts) || 0 });
    });
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
