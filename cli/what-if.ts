// waybill what-if: the recorded journals of dead letters against another retry policy, in a sentence and by group.
import { printable } from '../core/envelope.ts';
import type { PolicyChange } from '../core/what-if.ts';
import type { LetterState } from '../queue/acts.ts';
import { type WhatIfAnswer, whatIfOf } from '../queue/what-if.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { type FilterFlags, filterOf } from './letter-flags.ts';
import { layOut, printDocuments } from './output.ts';
import { withReader } from './reading.ts';
import { loadConfig } from './settings.ts';

export interface WhatIfFlags extends FilterFlags {
  maxAttempts?: number;
  /** ms */
  base?: number;
  cap?: number;
  /** 0 to 1. */
  jitter?: number;
  state?: LetterState;
}

const MAX_CELL = 60;
const HEADER = ['destination', 'code', 'exhausted', 'saved', 'unknown', 'calls'];

export async function whatIfCommand(io: Io, flags: WhatIfFlags): Promise<ExitCode> {
  const policy = policyOf(flags);
  const filter = filterOf(flags, Date.now());
  const { destinations } = await loadConfig(io, flags);
  const { destination, state, output = 'table' } = flags;
  const answer = await withReader(io, flags, (reader) =>
    whatIfOf(reader, { destinations }, { destination, ...(state && { states: [state] }), filter, policy }),
  );
  if (output !== 'table') {
    await printDocuments(io, output, [answer]);
    return EXIT.ok;
  }
  await write(io.stdout, `${sentence(answer, policy)}\n`);
  if (answer.byGroup.length > 0) await write(io.stdout, layOut([HEADER, ...answer.byGroup.map(row)]));
  for (const line of notes(answer)) say(io, line);
  return EXIT.ok;
}

function policyOf({ maxAttempts, base, cap, jitter }: WhatIfFlags): PolicyChange {
  const policy: PolicyChange = {
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(base !== undefined && { baseMs: base }),
    ...(cap !== undefined && { capMs: cap }),
    ...(jitter !== undefined && { jitter }),
  };
  if (Object.keys(policy).length > 0) return policy;
  throw new CliError('USAGE', 'which policy? Give at least one of --max-attempts, --base, --cap and --jitter');
}

/** "8 attempts and a 60 s cap would have saved 412 of these 430 exhausted dead letters, at 1,290 more calls". */
function sentence({ eligible, saved, extraCalls }: WhatIfAnswer, policy: PolicyChange): string {
  if (eligible === 0) return 'no dead letter here has spent all of its attempts: another policy would change none';
  const of = eligible === 1 ? 'this one exhausted dead letter' : `these ${count(eligible)} exhausted dead letters`;
  return `${inWords(policy)} would have saved ${count(saved)} of ${of}, at ${calls(extraCalls)}`;
}

function inWords({ maxAttempts, baseMs, capMs, jitter }: PolicyChange): string {
  const parts = [
    ...(maxAttempts === undefined ? [] : [maxAttempts === 1 ? '1 attempt' : `${maxAttempts} attempts`]),
    ...(baseMs === undefined ? [] : [`a ${seconds(baseMs)} base`]),
    ...(capMs === undefined ? [] : [`a ${seconds(capMs)} cap`]),
    ...(jitter === undefined ? [] : [`a jitter of ${jitter}`]),
  ];
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function notes({
  examined,
  more,
  eligible,
  unknown,
  extraCallsOfSaved,
  extraCalls,
  coversMs,
  wouldHaveDied,
  basis,
}: WhatIfAnswer): string[] {
  if (eligible === 0) return [];
  const rest = extraCalls - extraCallsOfSaved;
  return [
    `${count(extraCallsOfSaved)} of the calls for those saved, ${count(rest)} for the others; its waits cover ${seconds(coversMs)} and jitter`,
    ...(unknown > 0
      ? [`of ${count(unknown)} the records do not tell whether it would have helped: they count as not saved`]
      : []),
    ...(wouldHaveDied
      ? [
          `but ${count(wouldHaveDied.deliveries)} of the ${wouldHaveDied.more ? 'newest ' : ''}${count(wouldHaveDied.examined)} kept deliveries took more attempts than that, and would be dead, at ${calls(-wouldHaveDied.savedCalls)}`,
        ]
      : []),
    ...(more ? [`the newest ${count(examined)} dead letters were looked at; there are more`] : []),
    basis,
  ];
}

function row({ destination, code, eligible, saved, unknown, extraCalls }: WhatIfAnswer['byGroup'][number]): string[] {
  const sign = extraCalls > 0 ? '+' : '';
  return [
    destination,
    code === undefined ? '-' : printable(code, MAX_CELL),
    count(eligible),
    count(saved),
    count(unknown),
    `${sign}${count(extraCalls)}`,
  ];
}

const NUMBERS = new Intl.NumberFormat('en-GB');
const count = (value: number): string => NUMBERS.format(value);
const seconds = (ms: number): string => `${count(Number((ms / 1000).toFixed(1)))} s`;

function calls(extra: number): string {
  const number = Math.abs(extra);
  return `${count(number)} ${extra < 0 ? 'fewer' : 'more'} ${number === 1 ? 'call' : 'calls'}`;
}
