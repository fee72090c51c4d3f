// What `waybill enqueue` answers for each write, and the batches in which lines go into the queue.
import type { BulkAnswer, WriteQueue } from '../producer/index.ts';
import { parseWriteLine, type WriteLine } from './enqueue-line.ts';
import { readLines } from './read-lines.ts';

const BATCH = 100;
/** Batches in a row that were unavailable; each took 2 s, or a wait for replicas, and what follows is answered without trying. */
const GIVE_UP_AFTER = 3;

export interface LineAnswer {
  line: number;
  status: 'queued' | 'duplicate' | 'conflict' | 'invalid' | 'refused' | 'unavailable';
  idempotencyKey?: string;
  jobId?: string;
  error?: { code: string; field?: string; message: string };
}

export interface Answered {
  answer: LineAnswer;
  /** It is stored, or may be, under a key that was made here: the same line once more would be another write. */
  isTwiceIfFedAgain: boolean;
}

/** One answer per line, in order. @param asked stops it between two batches, and while it waits for a line */
export async function* answers(
  queue: WriteQueue,
  input: AsyncIterable<Buffer | string>,
  asked: AbortSignal,
): AsyncGenerator<Answered> {
  let unavailable = 0;
  let why = NO_ANSWER;
  try {
    for await (const lines of readLines(input)) {
      const parsed = lines.flatMap((line) => parseWriteLine(line) ?? []);
      for (let from = 0; from < parsed.length; from += BATCH) {
        if (asked.aborted) return;
        const batch = parsed.slice(from, from + BATCH);
        const answered =
          unavailable < GIVE_UP_AFTER ? await add(queue, batch) : batch.map((line) => untried(line, why));
        const tried = answered.filter(({ answer }) => answer.status !== 'invalid');
        if (tried.length > 0)
          unavailable = tried.every(({ answer }) => answer.status === 'unavailable') ? unavailable + 1 : 0;
        if (tried.some(({ answer }) => answer.error?.code === 'NOT_REPLICATED')) why = NO_REPLICAS;
        yield* answered;
      }
    }
  } catch (error) {
    // The input was ended under the reader; half a line may be left, and is no line.
    if (!asked.aborted) throw error;
  }
}

export async function add(queue: WriteQueue, batch: readonly WriteLine[]): Promise<Answered[]> {
  const valid = batch.filter((line) => 'item' in line);
  const added = await queue.addBulk(valid.map(({ item }) => item));
  const byLine = new Map(valid.map((line, i) => [line.line, added[i]]));
  return batch.map((line): Answered => {
    const answer = byLine.get(line.line);
    if ('wrong' in line || answer === undefined) return untried(line, NO_ANSWER);
    const status = statusOf(answer);
    const isTwiceIfFedAgain = line.givenKey === undefined && (status === 'queued' || status === 'unavailable');
    const key = status === 'invalid' ? line.givenKey : line.item.data.idempotencyKey;
    const base = { line: line.line, status, ...(key !== undefined && { idempotencyKey: key }) };
    if ('job' in answer) return { answer: { ...base, jobId: answer.job.id ?? '' }, isTwiceIfFedAgain };
    const { code, field, message } = answer.error;
    return { answer: { ...base, error: { code, ...(field !== undefined && { field }), message } }, isTwiceIfFedAgain };
  });
}

/** A Redis that refuses has answered: the lines that follow are tried, and none may have been stored unseen. */
function statusOf(answer: BulkAnswer): LineAnswer['status'] {
  return 'error' in answer && answer.error.code === 'QUEUE_REFUSED' ? 'refused' : answer.status;
}

const NO_ANSWER = 'Redis did not answer for the lines before';
const NO_REPLICAS = 'too few replicas had the lines before';

function untried(line: WriteLine, why: string): Answered {
  if ('wrong' in line) {
    const error = { code: 'INVALID_WRITE', ...line.wrong };
    return { answer: { line: line.line, status: 'invalid', error }, isTwiceIfFedAgain: false };
  }
  const message = `not tried, and nothing was stored: ${why}. Add it again with the same idempotencyKey.`;
  const { idempotencyKey } = line.item.data;
  const error = { code: 'QUEUE_UNAVAILABLE', message };
  return {
    answer: { line: line.line, status: 'unavailable', idempotencyKey, error },
    isTwiceIfFedAgain: false,
  };
}
