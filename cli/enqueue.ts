// waybill enqueue: one write that flags say, or many from the lines of standard input or a file, into a destination's
// queue; each is answered, in order.
import { printable } from '../core/envelope.ts';
import { codeOf } from '../core/outcome.ts';
import { createQueue, type WriteQueue } from '../producer/index.ts';
import { add, answers, type LineAnswer } from './enqueue-answers.ts';
import { type EnqueueFlags, saysOneWrite, writeOfFlags } from './enqueue-flags.ts';
import { Tally } from './enqueue-tally.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { layOut, printDocuments } from './output.ts';
import { bytesIn, startProgress } from './progress.ts';
import { openInput } from './read-lines.ts';
import { loadConfig } from './settings.ts';

export async function enqueue(io: Io, flags: EnqueueFlags, destination: string): Promise<ExitCode> {
  const isOne = saysOneWrite(flags);
  const { redis, destinations } = await loadConfig(io, flags);
  const configured = Object.keys(destinations);
  if (configured.length > 0 && !configured.includes(destination)) {
    say(
      io,
      `waybill: ${destination} is not in the configuration, which has ${configured.join(', ')}: is the name right?`,
    );
  }
  const queue = createQueue(destination, { connection: redis });
  try {
    return isOne ? await enqueueOne(io, flags, queue) : await enqueueLines(io, flags, queue);
  } finally {
    await queue.close();
  }
}

const EXIT_OF_ONE: Record<LineAnswer['status'], ExitCode> = {
  queued: EXIT.ok,
  duplicate: EXIT.ok,
  conflict: EXIT.failed,
  invalid: EXIT.usage,
  refused: EXIT.redis,
  unavailable: EXIT.redis,
};

async function enqueueOne(io: Io, flags: EnqueueFlags, queue: WriteQueue): Promise<ExitCode> {
  const [only] = await add(queue, [await writeOfFlags(io, flags)]);
  if (!only) throw new TypeError('addBulk answers every item');
  const { status, error } = only.answer;
  const format = flags.output ?? (io.stdout.isTTY ? 'table' : 'ndjson');
  if (format === 'table') await write(io.stdout, layOut([cells(only.answer)]));
  else await printDocuments(io, format, [only.answer]);
  if (error && format !== 'table') say(io, `waybill: ${error.code}: ${printable(error.message, MAX_MESSAGE)}`);
  return EXIT_OF_ONE[status];
}

async function enqueueLines(io: Io, flags: EnqueueFlags, queue: WriteQueue): Promise<ExitCode> {
  const input = flags.file === undefined || flags.file === '-' ? io.stdin : await openInput(io, '--file', flags.file);
  const tally = new Tally();
  const { asked } = io.untilStopped();
  asked.addEventListener('abort', () => input.destroy(), { once: true });
  if (input === io.stdin && io.stdin.isTTY) say(io, 'one JSON object a line; Ctrl-D ends');
  // A person who typed nothing else sees how far it is, and what did not go well; typed lines are answered each.
  const isWatched = flags.output === undefined && io.stdout.isTTY === true && !(input === io.stdin && io.stdin.isTTY);
  const progress = startProgress(io, queue.name, bytesIn(input), { sharesScreen: isWatched });
  let bytes = 0;
  async function* read(): AsyncGenerator<Buffer | string> {
    try {
      for await (const chunk of input as AsyncIterable<Buffer | string>) {
        bytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw new CliError(
        'FAILED',
        `${flags.file ?? 'standard input'} cannot be read further (${codeOf(error)})`,
        error,
      );
    }
  }
  async function* counted(): AsyncGenerator<LineAnswer> {
    for await (const answered of answers(queue, read(), asked)) {
      tally.count(answered);
      progress?.show(bytes, tally.told());
      yield answered.answer;
    }
  }
  try {
    if (isWatched || flags.output === 'table') {
      for await (const answer of counted()) {
        if (isWatched && answer.status === 'queued') continue;
        progress?.clear();
        await write(io.stdout, layOut([[String(answer.line).padStart(7), ...cells(answer)]]));
      }
    } else await printDocuments(io, flags.output ?? 'ndjson', counted());
  } finally {
    progress?.clear();
    say(io, `${queue.name}: ${tally.told()}`);
    const where = tally.lastLine === 0 ? 'before the first line' : `after line ${tally.lastLine}`;
    const stopped = asked.aborted ? `STOPPED: ${String(asked.reason)} ${where}. ` : '';
    const next = tally.whatNext({ isStopped: asked.aborted });
    if (next !== undefined) say(io, `waybill: ${stopped}${next}`);
  }
  return asked.aborted ? EXIT.interrupted : tally.exitCode();
}

const MAX_MESSAGE = 300;

/** Of one width from the first row on: rows are printed as they come. */
function cells({ status, idempotencyKey, jobId, error }: LineAnswer): string[] {
  const said = error === undefined ? (jobId ?? '') : printable(`${error.code}: ${error.message}`, MAX_MESSAGE);
  return [status.padEnd(11), printable(idempotencyKey ?? '-', 255).padEnd(36), said];
}
