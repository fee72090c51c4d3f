// The commands below `waybill dead-letters` and their options.
import { type Command, Option } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { readHeader } from './enqueue-flags.ts';
import { durationUpTo, noneOr, perSecond, wholeNumber } from './flag-values.ts';
import type { Io } from './io.ts';
import { addFilterFlags, FILTER_HELP, noReasonHere } from './letter-flags.ts';

/** Makes commander's action out of a command that is loaded when it runs: it is given its options, then its argument. */
export type Run = (
  load: () => Promise<(io: Io, options: never, argument: never) => Promise<ExitCode>>,
) => (...given: unknown[]) => Promise<void>;

const MAX_LIST = 10_000;
/** Ids and rulings of so many are held before the first is acted on. */
const MAX_ACTS = 1_000_000;
const MAX_WAIT_MS = 3_600_000;
const IDS = '[ids...]';
const PROBE = 'settle a doubt: send what is in doubt once more under its own key, and wait for the answers';
const STATES = ['open', 'replayed', 'discarded'];

export function addDeadLetters(program: Command, run: Run): void {
  const letters = program
    .command('dead-letters')
    .description('writes that could not be delivered: look, replay, probe, discard');
  addFilterFlags(letters.command(`list ${IDS}`).description('the newest first'))
    .addOption(new Option('--state <state>', 'where they are; default open').choices(STATES))
    .option('--limit <n>', 'at most so many', wholeNumber(1, MAX_LIST), 50)
    .addOption(noReasonHere())
    .addHelpText('after', FILTER_HELP)
    .action(run(async () => (await import('./dead-letters-list.ts')).deadLettersList));
  letters
    .command('show <id>')
    .description(
      'one with all that is known of it, and what a replay would be told. By dead letter id, job id, key or request_id',
    )
    .option('--destination <name>', 'look in this one only')
    .action(run(async () => (await import('./dead-letters-show.ts')).deadLettersShow));

  const replay = letters
    .command(`replay ${IDS}`)
    .description('send them again, each under its own key as its next generation');
  addActFlags(replay)
    .option('--new-key', 'as new writes under new keys; for what was not applied')
    .option('--accept-double', 'also what may be applied twice by it')
    .option('--ignore-expiry', 'also past the expiry of the write itself')
    .option('--body <json>', 'with another body, which is sent as it stands; of one letter, under a new key')
    .option('--body-file <file>', 'the same from a file; - is standard input')
    .option('--path <path>', 'to another path; of one letter, under a new key')
    .option('--header <name:value>', 'with these headers in place of its own; may be given several times', readHeader)
    .option('--from <file>', 'those that the lines of an export name; - is standard input')
    .addHelpText('after', FILTER_HELP + REPLAY_HELP + ACT_HELP)
    .action(run(async () => (await import('./dead-letters-act.ts')).deadLettersReplay));
  addActFlags(letters.command(`probe ${IDS}`).description(PROBE))
    .addOption(
      new Option(
        '--wait <span>',
        'for each answer, at most; 0 looks once. Default 60s, or 30s more than the timeoutMs of a destination where that is longer',
      ).argParser(noneOr(durationUpTo(MAX_WAIT_MS, 'an hour'))),
    )
    .addHelpText('after', FILTER_HELP + PROBE_HELP + ACT_HELP)
    .action(run(async () => (await import('./dead-letters-act.ts')).deadLettersProbe));
  addActFlags(
    letters.command(`discard ${IDS}`).description('put them aside; they can be restored until retention ends'),
  )
    .addHelpText('after', FILTER_HELP + ACT_HELP)
    .action(run(async () => (await import('./dead-letters-act.ts')).deadLettersDiscard));
  addActFlags(letters.command(`restore ${IDS}`).description('take discarded ones back'))
    .addHelpText('after', FILTER_HELP + ACT_HELP)
    .action(run(async () => (await import('./dead-letters-act.ts')).deadLettersRestore));

  addFilterFlags(letters.command(`export ${IDS}`))
    .description('all of them, the oldest first, a JSON object a line; -o json: as one array')
    .addOption(new Option('--state <state>', 'where they are; default open').choices(STATES))
    .option('--limit <n>', 'at most so many', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(noReasonHere())
    .addHelpText('after', FILTER_HELP)
    .action(run(async () => (await import('./dead-letters-export.ts')).deadLettersExport));
  letters
    .command('audit')
    .description('who did what to them and why, and what retention took away; the newest first')
    .option('--destination <name>', 'of this one only')
    .option('--limit <n>', 'at most so many', wholeNumber(1, MAX_LIST), 50)
    .action(run(async () => (await import('./dead-letters-audit.ts')).deadLettersAudit));
  letters
    .command('reindex')
    .description('put their lookup rows right, out of the letters themselves; beside workers and operators')
    .option('--destination <name>', 'of this one only')
    .addHelpText('after', REINDEX_HELP)
    .action(run(async () => (await import('./dead-letters-reindex.ts')).deadLettersReindex));
}

const addActFlags = (command: Command): Command =>
  addFilterFlags(command)
    .option('--all', 'every one, where nothing else says which')
    .option('--reason <text>', 'why you do it; written down with the act')
    .option('--by <name>', 'who does it; default WAYBILL_OPERATOR, or user@host')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--yes', 'do not ask')
    .option('--rate <n>', 'at most so many a second', perSecond)
    .option('--limit <n>', 'at most so many, the oldest first', wholeNumber(1, MAX_ACTS), MAX_ACTS);

const REINDEX_HELP = `

Needed once after an update from a version that did not keep a row, and where somebody has changed keys by hand. May be
stopped and run again at any time. Prints {"destination","letters","removed","added"}: open letters, rows that led nowhere,
rows that were missing or wrong.`;

const REPLAY_HELP = `

A changed write (--body, --path, --header) always goes out under a new key; its dead letter keeps what it had.
Under its own key a write cannot be applied twice while the API keeps the key. --accept-double is for what could be:
on a terminal it is confirmed by typing, whatever else is given; without one it takes --yes.`;

const PROBE_HELP = `

Without ids those in doubt are meant. Each has one attempt, with the key that the API knows: what it has applied it answers
again, what it has not is applied now, and once. Refused where there is no doubt that an answer could settle (NOT_IN_DOUBT,
DOUBT_FINAL), where the write is TOO_LATE, and where the API may forget the key before it answers (KEY_ENDING, KEY_EXPIRED).
A row besides holds "answer":{"says","status","code","requestId","letter","because"}; says is delivered, not-applied, in-doubt
(nothing was proved: \`letter\` is the new dead letter), waiting (no answer in time) or gone (it was answered, and what came of
it is kept no more). At most 100 are unanswered at a time; where not one of the first 100 was answered in time, it stops.
Ends with 0 when every doubt was settled, with 1 when one was not.`;

const ACT_HELP = `

Which letters are meant is settled first and shown. Each is then acted on in one step that writes down who and why; of two
operators at one letter one wins, and the other is told. Answers: {"letter","destination","status","jobId",
"idempotencyKey","generation","doubleAccepted","advice","error":{"code","field","message"}}, status replayed, probed,
discarded, restored, refused, handled (somebody was first), not-found or failed; at --dry-run would-replay and so on. doubleAccepted:
it may be applied twice. Ends with 1 when one was not done, or at --dry-run would not be.`;
