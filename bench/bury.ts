// Dead letters in numbers, each filed by the script that files every dead letter; only the sending is left out.
import type { MinimalJob } from 'bullmq';
import { emptyJournal, type Attempt, type Journal } from '../core/journal.ts';
import type { DeadReason } from '../core/decide.ts';
import type { WaybillBackend } from '../queue/backend.ts';
import { type DeadLetter, deadLetter } from '../queue/letter.ts';
import type { Reader } from '../queue/reader.ts';
import { jobIdOf, payloadHash, type Write } from '../core/write.ts';

/** A write that is to be dead. */
export interface Death {
  key: string;
  /** Epoch ms. */
  at: number;
  reason?: DeadReason;
  because?: string;
  attempts?: Partial<Attempt>[];
  generation?: number;
  path?: string;
  body?: string;
}

const TOKEN = 'token';
const AT_ONCE = 200;

export const journalOf = ({ at, attempts = [], generation = 0 }: Death): Journal => ({
  ...emptyJournal(generation),
  ...(attempts.length > 0 && { firstSentAt: at - 1 }),
  attempts: attempts.map((attempt, i) => ({
    attempt: i + 1,
    at: at - 1,
    durationMs: 1,
    outcome: 'response',
    evidence: 'not-applied',
    disposition: i + 1 === attempts.length ? 'dead' : 'retry',
    ...attempt,
  })),
});

/** @returns the letters as they were filed */
export async function bury(reader: Reader, destination: string, deaths: readonly Death[]): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (let from = 0; from < deaths.length; from += AT_ONCE) {
    const made = deaths.slice(from, from + AT_ONCE).map((death) => letterOf(destination, death));
    await take(reader, destination, made);
    letters.push(...(await file(reader, destination, made)));
  }
  return letters;
}

/** Settles writes that were taken. */
export async function file(
  reader: Reader,
  destination: string,
  letters: readonly DeadLetter[],
): Promise<readonly DeadLetter[]> {
  const backend = reader.queue(destination).getBackend() as unknown as WaybillBackend;
  (backend as unknown as { queue: { opts: { lockDuration: number } } }).queue.opts.lockDuration = 30_000;
  const byJob = new Map(letters.map((letter) => [letter.jobId, letter]));
  const filed: DeadLetter[] = [];
  backend.letterOf = ({ id }) => byJob.get(id ?? '') as DeadLetter;
  backend.onFiled = (_job, letter) => void filed.push(letter);
  const jobs = letters.map(
    ({ jobId, write }) => ({ id: jobId, data: write, opts: { attempts: 5 }, attemptsMade: 0 }) as unknown as MinimalJob,
  );
  await Promise.all(jobs.map((job) => backend.moveToFailed(job, 'dead', false, TOKEN, false)));
  return filed;
}

export function letterOf(destination: string, death: Death): DeadLetter {
  const { key, at, reason = 'rejected', because = 'a bench', path = '/v1/messages', body } = death;
  const write = {
    method: 'POST',
    path,
    idempotencyKey: key,
    ...(body !== undefined && { body }),
  } as const;
  const facts = { destination, jobId: jobIdOf(key), enqueuedAt: at - 1, reason, because, lost: 0 };
  const policy = { keyTtlMs: 86_400_000, timeoutMs: 1000 };
  return deadLetter({ ...facts, journal: journalOf(death), write }, policy, at);
}

/** The writes stand as if a worker had them, wherever they stood. */
export async function take(reader: Reader, destination: string, letters: readonly DeadLetter[]): Promise<void> {
  const base = reader.queue(destination).toKey('');
  const pipeline = reader.client.pipeline();
  for (const { jobId, write, enqueuedAt, journal } of letters) {
    pipeline.lrem(`${base}wait`, 0, jobId);
    pipeline.zrem(`${base}delayed`, jobId);
    pipeline.hset(base + jobId, { data: JSON.stringify(write), name: 'send', opts: '{"attempts":5}' });
    const fields = { delay: 0, priority: 0, stacktrace: '[]', pb: 'sms-worker-1-3f2a', processedOn: enqueuedAt };
    pipeline.hset(base + jobId, { ...fields, timestamp: enqueuedAt, ats: 1, progress: JSON.stringify(journal) });
    pipeline.hset(base + jobId, { wbh: payloadHash(write as Write) });
    pipeline.lpush(`${base}active`, jobId);
    pipeline.set(`${base}${jobId}:lock`, TOKEN);
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}
