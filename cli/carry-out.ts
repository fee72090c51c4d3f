// An act on dead letters, one at a time: at a pace, until a signal asks to stop or Redis goes. Whatever happens on the
// way, the counts at the end are what was done.
import { setTimeout } from 'node:timers/promises';
import { WaybillError } from '../core/errors.ts';
import type { Operator } from '../queue/acts.ts';
import type { ProbeAnswer } from '../queue/probe.ts';
import type { Reader } from '../queue/reader.ts';
import { describeOutcome, goingOn, rowOf, type Tally } from './act-text.ts';
import { EXIT, explainError, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { DONE, type ItemResult, type LetterAct } from './letter-acts.ts';
import { inLine } from './in-line.ts';
import type { Plan, Planned } from './letter-plan.ts';
import { printDocuments } from './output.ts';
import { startProgress } from './progress.ts';
import type { GlobalFlags } from './settings.ts';
import { watchUnserved } from './unserved.ts';

/**
 * Probes that wait for their answers at a time: each looks into Redis now and then, and an API in trouble is spared.
 * Where so many were sent and not one was answered in time, nobody is there to answer the others.
 */
const MAX_UNANSWERED = 100;
/** While nothing else moves, how many are awaited is drawn again. */
const DRAW_AGAIN_MS = 500;

/**
 * Acts on what the plan holds, prints what came of each, and tells the counts.
 * @param told lines of cli/unserved.ts that have been said already
 */
export async function carryOut(
  io: Io,
  flags: GlobalFlags & { rate?: number; olderThan?: number; newerThan?: number },
  plan: Plan,
  act: LetterAct,
  operator: Operator,
  reader: Reader,
  told = new Set<string>(),
): Promise<ExitCode> {
  const { asked } = io.untilStopped();
  const tally: Tally = { counts: new Map(), answers: new Map(), first: new Map(), left: 0 };
  const progress = startProgress(io, act.verb, plan.items.length);
  const pace = paced(flags.rate);
  const total = plan.items.length;
  let lost: unknown;
  let tried = 0;
  /** The destination of each answer that is awaited. */
  const awaited: string[] = [];
  const draw = (): void =>
    progress?.show(
      tried - awaited.length,
      `${tried} of ${total}${awaited.length > 0 ? `, waiting for ${awaited.length} answer${awaited.length === 1 ? '' : 's'}` : ''}`,
    );
  const drawing = setInterval(draw, DRAW_AGAIN_MS);
  const endWatch = watchUnserved(reader, {
    awaited: () => awaited,
    told,
    tell: (line) => {
      progress?.clear();
      say(io, line);
    },
  });
  const isUnanswered = (): boolean =>
    act.isPatient === true &&
    (tally.counts.get(DONE[act.verb]) ?? 0) >= MAX_UNANSWERED &&
    tally.answers.size === 1 &&
    tally.answers.has('waiting');
  async function* results(): AsyncGenerator<ItemResult> {
    const line = inLine<ItemResult>(act.answered ? MAX_UNANSWERED - 1 : 0);
    for (const [i, item] of plan.items.entries()) {
      if (!item.not) await pace.wait(asked);
      if (asked.aborted || lost !== undefined || isUnanswered()) {
        tally.left = total - i;
        break;
      }
      const result = item.not ? resultOf(item, act) : await perform(item);
      tally.counts.set(result.status, (tally.counts.get(result.status) ?? 0) + 1);
      // Of the others the plan has told why.
      if (!item.not && result.error && !tally.first.has(result.status))
        tally.first.set(result.status, result.error.message);
      tried = i + 1;
      yield* line.join(answered(result));
    }
    yield* line.rest();
  }
  /** With what an act was answered, where it is one that is. Redis that goes while it is waited for leaves it waiting. */
  async function answered(result: ItemResult): Promise<ItemResult> {
    if (!act.answered || result.status !== DONE[act.verb]) {
      draw();
      return result;
    }
    awaited.push(result.destination ?? '');
    draw();
    const answer = await act.answered(reader, result, asked).catch((error: unknown): ProbeAnswer => {
      lost ??= error;
      return { says: 'waiting' };
    });
    awaited.splice(awaited.indexOf(result.destination ?? ''), 1);
    tally.answers.set(answer.says, (tally.answers.get(answer.says) ?? 0) + 1);
    return { ...result, answer };
  }
  async function perform({ letter, destination = '' }: Planned): Promise<ItemResult> {
    try {
      return {
        letter,
        destination,
        status: DONE[act.verb],
        ...(await act.perform(reader, destination, letter, operator)),
      };
    } catch (error) {
      if (explainError(error).exit === EXIT.redis) lost = error;
      return { letter, destination, ...failure(error) };
    }
  }
  try {
    await printResults(io, flags, results());
  } finally {
    clearInterval(drawing);
    endWatch();
    progress?.clear();
    const why =
      lost !== undefined
        ? causeOf(lost)
        : tally.left === 0
          ? undefined
          : asked.aborted
            ? String(asked.reason)
            : UNANSWERED;
    const cutShort = why === undefined ? undefined : { why, goOn: goingOn(act, plan, flags) };
    for (const line of describeOutcome(tally, act, cutShort)) say(io, line);
  }
  if (lost !== undefined) throw lost;
  const { counts, answers, left } = tally;
  if (asked.aborted && (left > 0 || answers.has('waiting'))) return EXIT.interrupted;
  const allDone = [...counts.keys()].every((status) => status === DONE[act.verb]);
  return allDone && UNSETTLED.every((says) => !answers.has(says)) ? EXIT.ok : EXIT.failed;
}

const UNANSWERED = 'the first probes got no answer in time (`waybill status` tells why)';
const UNSETTLED: readonly ProbeAnswer['says'][] = ['in-doubt', 'waiting', 'gone'];

/** The first goes at once, the others in even steps. @param rate a second; as fast as it goes when left out */
function paced(rate: number | undefined): { wait(stop: AbortSignal): Promise<void> } {
  let nextAt = 0;
  return {
    async wait(stop) {
      if (rate === undefined) return;
      const now = performance.now();
      if (nextAt > now) await setTimeout(nextAt - now, undefined, { signal: stop }).catch(() => {});
      nextAt = Math.max(now, nextAt) + 1000 / rate;
    },
  };
}

const STATUS_OF: Partial<Record<WaybillError['code'], ItemResult['status']>> = {
  LETTER_HANDLED: 'handled',
  REPLAY_REFUSED: 'refused',
  IDEMPOTENCY_CONFLICT: 'refused',
  NOT_FOUND: 'not-found',
};

function failure(error: unknown): Pick<ItemResult, 'status' | 'error'> {
  if (error instanceof WaybillError) {
    const { code, field, message } = error;
    return { status: STATUS_OF[code] ?? 'failed', error: { code, ...(field !== undefined && { field }), message } };
  }
  const { code, words } = explained(error);
  const message = explainError(error).exit === EXIT.redis && !isReply(error) ? `${words} ${IN_DOUBT}` : words;
  return { status: 'failed', error: { code, message } };
}

const IN_DOUBT = 'It may have been done all the same.';

/** Redis has answered: nothing was done. */
const isReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError';

function explained(error: unknown): { code: string; words: string } {
  const { said = '' } = explainError(error);
  const [, code = 'UNEXPECTED', words = said] = /^([A-Z_]+): (.*)$/s.exec(said) ?? [];
  return { code, words };
}

/** Why nothing more can be done. */
function causeOf(error: unknown): string {
  const state = explained(error).code === 'QUEUE_REFUSED' ? 'Redis refuses' : 'Redis is away';
  return isReply(error) ? `${state} (${error.message})` : state;
}

/** Of a letter that is not tried, or not yet. */
export function resultOf({ not, doubleAccepted, advice, ...item }: Planned, { verb }: LetterAct): ItemResult {
  if (not) return { ...item, ...not };
  return {
    ...item,
    status: `would-${verb}`,
    ...(doubleAccepted && { doubleAccepted }),
    ...(advice !== undefined && { advice }),
  };
}

type Results = Iterable<ItemResult> | AsyncIterable<ItemResult>;

export async function printResults(io: Io, { output = 'table' }: GlobalFlags, results: Results): Promise<void> {
  if (output !== 'table') return printDocuments(io, output, results);
  for await (const result of results) await write(io.stdout, rowOf(result));
}
