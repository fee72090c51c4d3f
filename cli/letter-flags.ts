// Which dead letters a command means: the same flags for the list, the export and the acts.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEAD_REASONS, type DeadReason } from '../core/decide.ts';
import { MAX_CODE } from '../core/envelope.ts';
import { type Verdict, VERDICTS } from '../core/verdict.ts';
import { MAX_ATTEMPTS } from '../core/write.ts';
import { type LetterFilter, WITHOUT } from '../queue/letter-filter.ts';
import { CliError } from './exit-codes.ts';
import { duration, isoInstant, textUpTo, wholeNumber } from './flag-values.ts';
import type { ReadingFlags } from './reading.ts';

const MAX_TEXT = 200;

export interface FilterFlags extends ReadingFlags {
  code?: string;
  field?: string;
  withoutCode?: true;
  withoutField?: true;
  status?: number;
  deadReason?: DeadReason;
  verdict?: Verdict;
  attempts?: number;
  replayedBefore?: boolean;
  text?: string;
  /** ms */
  olderThan?: number;
  newerThan?: number;
  /** Epoch ms. */
  since?: number;
  before?: number;
}

export const FILTER_HELP = `
Letters are named by id (dead letter id, job id, idempotency key or request_id), or by what they have in common: every
flag that is given must hold. --code and --field are compared exactly; --text has to look into letters. --dead-reason is why the write died; an act's own
--reason is why you act, and is written down with it.`;

export function addFilterFlags(command: Command): Command {
  return command
    .option('--destination <name>', 'of this one only')
    .option(
      '--code <code>',
      'whose last answer had this code; of those that got none, a connection error',
      textUpTo(MAX_CODE),
    )
    .addOption(new Option('--without-code', 'that have none').conflicts('code'))
    .option('--field <name>', 'whose last answer named this field', textUpTo(MAX_CODE))
    .addOption(new Option('--without-field', 'whose last answer named none').conflicts('field'))
    .option('--status <n>', 'whose last answer had this HTTP status', wholeNumber(100, 599))
    .addOption(new Option('--dead-reason <reason>', 'that died of this').choices(DEAD_REASONS))
    .addOption(new Option('--verdict <verdict>', 'of this verdict').choices(VERDICTS))
    .option('--attempts <n>', 'that spent so many attempts', wholeNumber(0, MAX_ATTEMPTS))
    .option('--replayed-before', 'that were replayed before and died again')
    .option('--no-replayed-before', 'that were not')
    .option('--text <part>', 'with this part in message, path or body, whatever its case', textUpTo(MAX_TEXT))
    .addOption(
      new Option('--older-than <span>', 'dead for longer: 90s, 15m, 2h, 7d').argParser(duration).conflicts('before'),
    )
    .addOption(new Option('--newer-than <span>', 'dead for less').argParser(duration).conflicts('since'))
    .option('--since <time>', 'dead at this ISO time or after', isoInstant)
    .option('--before <time>', 'dead before this ISO time', isoInstant);
}

/** Refuses --reason where nobody acts, with the flag that was meant. */
export const noReasonHere = (): Option =>
  new Option('--reason <reason>').hideHelp().argParser(() => {
    throw new InvalidArgumentError('Why a write died is asked for with --dead-reason.');
  });

/**
 * @param now epoch ms
 * @throws CliError USAGE when no time lies between the bounds
 */
export function filterOf(flags: FilterFlags, now: number): LetterFilter {
  const { code, field, status, deadReason, verdict, attempts, replayedBefore, text, olderThan, newerThan } = flags;
  const without = WITHOUT.filter((name) => (name === 'code' ? flags.withoutCode : flags.withoutField));
  const before = olderThan === undefined ? flags.before : now - olderThan;
  const since = newerThan === undefined ? flags.since : now - newerThan;
  if (before !== undefined && since !== undefined && before <= since)
    throw new CliError('USAGE', 'no time lies between the two bounds of age: nothing can match');
  return {
    ...(code !== undefined && { code }),
    ...(field !== undefined && { field }),
    ...(without.length > 0 && { without }),
    ...(status !== undefined && { status }),
    ...(deadReason !== undefined && { reason: deadReason }),
    ...(verdict !== undefined && { verdict }),
    ...(attempts !== undefined && { attempts }),
    ...(replayedBefore !== undefined && { replayed: replayedBefore }),
    ...(text !== undefined && { text }),
    ...(before !== undefined && { before }),
    ...(since !== undefined && { since }),
  };
}
