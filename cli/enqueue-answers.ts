// What `waybill enqueue` answers for each write, and the batches in which lines go into the queue.
import type { BulkAnswer, WriteQueue } from '../producer/index.ts';
import { parseWriteLine, type WriteLine } from './enqueue-line.ts';
import { readLines } from './read-lines.ts';

const BATCH = 100;
/** Batches in a row that Redis did not answer; each took 2 s, and what follows is answered without trying. */
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
  /** The key was made here: the same line once more would be another write. */
  madeKey: boolean;
}

/** One answer per line, in order. @param asked stops it between two batches, and while it waits for a line */
export async function* answers(
  queue: WriteQueue,
  input: AsyncIterable<Buffer | string>,
  asked: AbortSignal,
): AsyncGenerator<Answered> {
  let unanswered = 0;
  try {
    for await (const lines of readLines(input)) {
      const parsed = lines.flatMap((line) => parseWriteLine(line) ?? []);
      for (let from = 0; from < parsed.length; from += BATCH) {
        if (asked.aborted) return;
        const batch = parsed.slice(from, from + BATCH);
        const answered = unanswered < GIVE_UP_AFTER ? await add(queue, batch) : batch.map(untried);
        const tried = answered.filter(({ answer }) => answer.status !== 'invalid');
        if (tried.length > 0)
          unanswered = tried.every(({ answer }) => answer.status === 'unavailable') ? unanswered + 1 : 0;
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
    if ('wrong' in line || answer === undefined) return untried(line);
    const madeKey = line.givenKey === undefined;
    const status = statusOf(answer);
    const key = status === 'invalid' ? line.givenKey : line.item.data.idempotencyKey;
    const base = { line: line.line, status, ...(key !== undefined && { idempotencyKey: key }) };
    if ('job' in answer) return { answer: { ...base, jobId: answer.job.id ?? '' }, madeKey };
    const { code, field, message } = answer.error;
    return { answer: { ...base, error: { code, ...(field !== undefined && { field }), message } }, madeKey };
  });
}

/** A Redis that refuses has answered: the lines that follow are tried, and none may have been stored unseen. */
function statusOf(answer: BulkAnswer): LineAnswer['status'] {
  return 'error' in answer && answer.error.code === 'QUEUE_REFUSED' ? 'refused' : answer.status;
}

function untried(line: WriteLine): Answered {
  if ('wrong' in line) {
    const error = { code: 'INVALID_WRITE', ...line.wrong };
    return { answer: { line: line.line, status: 'invalid', error }, madeKey: false };
  }
  const message = 'not tried: Redis did not answer for the lines before. Add it again with the same idempotencyKey.';
  const { idempotencyKey } = line.item.data;
  const error = { code: 'QUEUE_UNAVAILABLE', message };
  return {
    answer: { line: line.line, status: 'unavailable', idempotencyKey, error },
    madeKey: line.givenKey === undefined,
  };
}
