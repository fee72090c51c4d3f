// What a person is told before and after an act on dead letters. Texts of letters may be the API's: all of it goes
// through printable().
import { printable } from '../core/envelope.ts';
import type { Operator } from '../queue/acts.ts';
import type { ProbeAnswer } from '../queue/probe.ts';
import { DONE, type ItemResult, type LetterAct } from './letter-acts.ts';
import { cellsOf } from './letter-row.ts';
import type { Plan } from './letter-plan.ts';
import { layOut } from './output.ts';
import { isoTime } from './reading.ts';

const MAX_LINE = 400;
const LETTER_WIDTH = 26;
const STATUS_WIDTH = 13;

/** `1 dead letter`, `40 dead letters`. */
export const counted = (count: number): string => `${count} dead letter${count === 1 ? '' : 's'}`;

const line = (text: string): string => printable(text, MAX_LINE);

/** What will be done, a few of the letters, what will not be done and why. @param operator missing at a dry run */
export function describePlan(plan: Plan, act: LetterAct, operator: Operator | undefined): string[] {
  const { items, todo, doubles, sample, not, advice, more } = plan;
  if (items.length === 0) return [`no ${act.from} dead letter matches`];
  const lines: string[] = [];
  if (todo > 0) {
    lines.push(`${counted(todo)} would be ${DONE[act.verb]}${act.how(todo)}${operator ? ':' : ''}`);
    if (operator) {
      lines.push(...layOut(sample.map(cellsOf), '  ').trimEnd().split('\n'));
      if (todo > sample.length) lines.push(`  and ${todo - sample.length} more`);
    }
  }
  if (doubles > 0) lines.push(`${doubles} of them may be applied twice`);
  for (const [text, count] of advice) lines.push(line(`${count} of them: ${text}`));
  for (const [why, { count, first }] of not) lines.push(line(`${count} would not (${why}): ${first}`));
  if (more) lines.push(`more match: --limit ${items.length} leaves them for another time`);
  if (operator && todo > 0) lines.push(line(`by ${operator.by}, because: ${operator.reason}`));
  return lines;
}

/** What came of it. */
export interface Tally {
  counts: Map<ItemResult['status'], number>;
  /** What probes were answered. */
  answers: Map<ProbeAnswer['says'], number>;
  /** The words of the first that was not done. */
  first: Map<ItemResult['status'], string>;
  /** Not tried. */
  left: number;
}

/** @param cutShort what kept it from going through all of them, and what goes on with the rest */
export function describeOutcome(
  { counts, answers, first, left }: Tally,
  { verb }: LetterAct,
  cutShort?: { why: string; goOn: string },
): string[] {
  const done = counts.get(DONE[verb]) ?? 0;
  const others = [...counts].filter(([status]) => status !== DONE[verb]);
  const told = [`${DONE[verb]} ${done}`, ...others.map(([status, count]) => `${WORDS[status] ?? status} ${count}`)];
  if (left > 0) told.push(`not tried ${left}`);
  const lines = [told.join(', ')];
  const answered = SAID.filter((says) => answers.has(says)).map((says) => `${ANSWERS[says]} ${answers.get(says)}`);
  if (answered.length > 0) lines.push(`answers: ${answered.join(', ')}`);
  if (answers.has('waiting')) lines.push('waybill find JOB tells later what came of a probe that waits');
  for (const [status, text] of first) lines.push(line(`${WORDS[status] ?? status}: ${text}`));
  if (cutShort !== undefined) lines.push(`waybill: STOPPED: ${line(cutShort.why)}. ${cutShort.goOn}`);
  return lines;
}

/** How to go on with what was not tried. @param flags those of the command that move with the time it is given at */
export function goingOn(
  { verb, from }: LetterAct,
  { before, since }: Pick<Plan, 'before' | 'since'>,
  { olderThan, newerThan }: { olderThan?: number; newerThan?: number },
): string {
  if (verb !== 'replay' && verb !== 'probe')
    return `The same command goes on where this one ended: what was ${DONE[verb]} is not ${from} any more.`;
  const bounds = [`--before ${isoTime(before)}${olderThan === undefined ? '' : ' for --older-than'}`];
  if (newerThan !== undefined && since !== undefined) bounds.push(`--since ${isoTime(since)} for --newer-than`);
  return `The same command with ${bounds.join(' and ')} goes on where this one ended; without it, what was ${DONE[verb]} and has died again would be ${DONE[verb]} once more.`;
}

const WORDS: Partial<Record<ItemResult['status'], string>> = {
  handled: 'handled by somebody first',
  'not-found': 'not found',
};

const ANSWERS: Record<ProbeAnswer['says'], string> = {
  delivered: 'delivered',
  'not-applied': 'not applied',
  'in-doubt': 'still in doubt',
  waiting: 'none yet',
  gone: 'kept no more',
};
/** Answers come in any order; they are counted in this one. */
const SAID = Object.keys(ANSWERS) as ProbeAnswer['says'][];

/** `still in doubt: 403 FORBIDDEN, request_id req_1; dead letter wsem….g1`. Of what waits, how to ask again. */
function answerInWords({ says, status, code, requestId, letter }: ProbeAnswer, jobId: string | undefined): string {
  if (says === 'waiting') return `no answer yet${jobId === undefined ? '' : `: waybill find ${jobId}`}`;
  if (says === 'gone') return 'its answer is kept no more';
  const known = [[status, code].filter((one) => one !== undefined).join(' '), requestId && `request_id ${requestId}`];
  const told = known.filter(Boolean).join(', ');
  return `${ANSWERS[says]}${told === '' ? '' : `: ${told}`}${letter === undefined ? '' : `; dead letter ${letter}`}`;
}

/** Of one width from the first row on: rows are printed as they come. */
export function rowOf({
  letter,
  destination,
  status,
  generation,
  jobId,
  idempotencyKey,
  doubleAccepted,
  advice,
  answer,
  error,
}: ItemResult): string {
  const went =
    generation === undefined
      ? ''
      : generation > 0
        ? `generation ${generation}${advice === undefined ? '' : `; ${advice}`}`
        : `key ${idempotencyKey} (job ${jobId})`;
  const twice = doubleAccepted ? 'may be applied twice' : '';
  const answered = answer && answerInWords(answer, jobId);
  const told = [went || (advice ?? ''), twice, answered].filter(Boolean).join('; ');
  const said = error ? `${error.code}: ${error.message}` : told;
  const cells = [
    line(letter).padEnd(LETTER_WIDTH),
    line(status).padEnd(STATUS_WIDTH),
    line(destination ?? '-'),
    line(said),
  ];
  return layOut([cells]);
}
