// waybill enqueue: NDJSON from standard input into a destination's queue, one answer a line, in order.
import { type BulkAnswer, createQueue, type WriteQueue } from '../producer/index.ts';
import { printable } from '../core/envelope.ts';
import { parseWriteLine, type WriteLine } from './enqueue-line.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import { readLines } from './read-lines.ts';
import { type GlobalFlags, loadConfig } from './settings.ts';

export const ENQUEUE_HELP = `
A line: {"method":"POST","path":"/v1/…","body":{…},"headers":{…},"idempotencyKey":"…","delay":ms,"priority":n,"maxAttempts":n,"expiresAt":"ISO time or epoch ms"}
Only method and path are needed. A body keeps the digits of its numbers; a body that is a string is JSON text.
Each line is answered: {"line","status":"queued|duplicate|conflict|invalid|refused|unavailable","idempotencyKey","jobId","error"},
as ndjson unless -o says otherwise. Feeding the same keys again is safe: what stands in the queue is a duplicate.`;

const BATCH = 100;
/** Batches in a row that Redis did not answer; each took 2 s, and what follows is answered without trying. */
const GIVE_UP_AFTER = 3;

interface LineAnswer {
  line: number;
  status: 'queued' | 'duplicate' | 'conflict' | 'invalid' | 'refused' | 'unavailable';
  idempotencyKey?: string;
  jobId?: string;
  error?: { code: string; field?: string; message: string };
}

export async function enqueue(io: Io, flags: GlobalFlags, destination: string): Promise<ExitCode> {
  const { redis, destinations } = await loadConfig(io, flags);
  const configured = Object.keys(destinations);
  if (configured.length > 0 && !configured.includes(destination)) {
    say(
      io,
      `waybill: ${destination} is not in the configuration, which has ${configured.join(', ')}: is the name right?`,
    );
  }
  const queue = createQueue(destination, { connection: redis.url });
  const counts = { queued: 0, duplicate: 0, conflict: 0, invalid: 0, refused: 0, unavailable: 0 };
  if (io.stdin.isTTY) say(io, 'one JSON object a line; Ctrl-D ends');
  async function* counted(): AsyncGenerator<LineAnswer> {
    for await (const answer of answers(queue, io.stdin)) {
      counts[answer.status] += 1;
      yield answer;
    }
  }
  try {
    if (flags.output === 'table') for await (const answer of counted()) await write(io.stdout, row(answer));
    else await printDocuments(io, flags.output ?? 'ndjson', counted());
  } finally {
    await queue.close();
  }
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  say(io, `${destination}: ${told.map(([status, count]) => `${count} ${status}`).join(', ') || 'no lines'}`);
  if (counts.refused + counts.unavailable > 0) return EXIT.redis;
  return counts.conflict + counts.invalid > 0 ? EXIT.failed : EXIT.ok;
}

async function* answers(queue: WriteQueue, input: AsyncIterable<Buffer>): AsyncGenerator<LineAnswer> {
  let unanswered = 0;
  for await (const lines of readLines(input)) {
    const parsed = lines.flatMap((line) => parseWriteLine(line) ?? []);
    for (let from = 0; from < parsed.length; from += BATCH) {
      const batch = parsed.slice(from, from + BATCH);
      const answered = unanswered < GIVE_UP_AFTER ? await add(queue, batch) : batch.map(untried);
      const tried = answered.filter(({ status }) => status !== 'invalid');
      if (tried.length > 0) unanswered = tried.every(({ status }) => status === 'unavailable') ? unanswered + 1 : 0;
      yield* answered;
    }
  }
}

async function add(queue: WriteQueue, batch: readonly WriteLine[]): Promise<LineAnswer[]> {
  const valid = batch.filter((line) => 'item' in line);
  const added = await queue.addBulk(valid.map(({ item }) => item));
  const byLine = new Map(valid.map((line, i) => [line.line, added[i]]));
  return batch.map((line): LineAnswer => {
    const answer = byLine.get(line.line);
    if ('wrong' in line || answer === undefined) return untried(line);
    const status = statusOf(answer);
    const key = status === 'invalid' ? line.givenKey : line.item.data.idempotencyKey;
    const base = { line: line.line, status, ...(key !== undefined && { idempotencyKey: key }) };
    if ('job' in answer) return { ...base, jobId: answer.job.id ?? '' };
    const { code, field, message } = answer.error;
    return { ...base, error: { code, ...(field !== undefined && { field }), message } };
  });
}

/** A Redis that refuses has answered: the lines that follow are tried, and none may have been stored unseen. */
function statusOf(answer: BulkAnswer): LineAnswer['status'] {
  return 'error' in answer && answer.error.code === 'QUEUE_REFUSED' ? 'refused' : answer.status;
}

function untried(line: WriteLine): LineAnswer {
  if ('wrong' in line) {
    return { line: line.line, status: 'invalid', error: { code: 'INVALID_WRITE', ...line.wrong } };
  }
  const message = 'not tried: Redis did not answer for the lines before. Add it again with the same idempotencyKey.';
  return {
    line: line.line,
    status: 'unavailable',
    idempotencyKey: line.item.data.idempotencyKey,
    error: { code: 'QUEUE_UNAVAILABLE', message },
  };
}

/** Of one width from the first row on: rows are printed as they come. */
function row({ line, status, idempotencyKey, jobId, error }: LineAnswer): string {
  const said = error === undefined ? (jobId ?? '') : printable(`${error.code}: ${error.message}`, 300);
  const key = printable(idempotencyKey ?? '-', 255);
  return layOut([[String(line).padStart(7), status.padEnd(11), key.padEnd(36), said]]);
}
