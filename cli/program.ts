// The commands and their options; each one's work stands in a file of its name.
import { readFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { LOG_LEVELS } from '../core/log-levels.ts';
import { MAX_ATTEMPTS, MAX_DELAY_MS, MAX_PRIORITY } from '../core/write.ts';
import { ENVIRONMENT_HELP } from './config-env.ts';
import { COMPLETION_HELP, SHELLS } from './completion-scripts.ts';
import { addDeadLetters, type Run } from './dead-letters-commands.ts';
import { ENQUEUE_HELP, readHeader } from './enqueue-flags.ts';
import { EXIT_CODES_HELP, type ExitCode } from './exit-codes.ts';
import { durationUpTo, share, wholeNumber } from './flag-values.ts';
import type { Io } from './io.ts';
import { addFilterFlags, noReasonHere } from './letter-flags.ts';

const LETTER_STATES = ['open', 'replayed', 'discarded'];
/** What the configuration allows. */
const MAX_BASE_MS = 3_600_000;
const MAX_CAP_MS = 86_400_000;

const WHAT_IF_HELP = `
What is left out stays as the configuration has it. Only letters that have spent all of their attempts count. One is saved
where the records show a success that one of the other policy's attempts would have met; where they show neither that nor
a failure it counts as unknown. Sends nothing and changes nothing. Up to 20000 letters are looked at, the newest first.`;

/** @param end is told the exit code of the command that ran */
export function buildProgram(io: Io, end: (code: ExitCode) => void): Command {
  const program = new Command('waybill')
    .description('A durable queue for outbound API writes.')
    .version(version())
    .addOption(
      new Option('-o, --output <format>', 'what data is printed as; default table').choices([
        'table',
        'json',
        'ndjson',
      ]),
    )
    .option('--config <file>', 'configuration file; default waybill.config.ts, .mjs or .json in the current directory')
    .option('--redis <url>', 'Redis; a password belongs in REDIS_URL, where no process list shows it')
    .option('--no-color', 'without colour, as NO_COLOR=1 says it')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, put) => put(text.replace(/^error: /, 'waybill: USAGE: ')) })
    .exitOverride()
    .addHelpText('after', ENVIRONMENT_HELP)
    .addHelpText('after', EXIT_CODES_HELP);

  /**
   * Hands a command its options, the global ones among them, and passes its exit code on. Only the command that runs is
   * loaded: a Tab of the shell and --help wait for no queue and no API client.
   */
  const run: Run =
    (load) =>
    async (...given) => {
      const at = given.at(-1);
      if (!(at instanceof Command)) throw new TypeError('commander gives the command last');
      const command = await load();
      end(await command(io, at.optsWithGlobals(), given[0] as never));
    };

  program
    .command('dev')
    .description('try it on this machine: a private Redis, a sandbox API, a worker and a dozen writes')
    .action(run(async () => (await import('./dev.ts')).dev));
  program
    .command('worker')
    .description('send the writes of the configured destinations until SIGTERM')
    .option('--destinations <a,b>', 'only these', (text) => text.split(',').filter(Boolean))
    .addOption(new Option('--log-level <level>', 'lines of this level and above').choices(LOG_LEVELS))
    .option('--health-port <n>', 'serve /livez, /readyz and /metrics there; 0 for a free one', wholeNumber(0, 65_535))
    .action(run(async () => (await import('./worker.ts')).worker));
  program
    .command('enqueue <destination>')
    .description('add one write that the flags say, or the writes of standard input or a file, one JSON object a line')
    .option('--path <path>', 'one write: where it goes, below the base URL')
    .option('--method <method>', 'POST, PUT, PATCH or DELETE; default POST')
    .option('--body <json>', 'its body, sent byte for byte')
    .option('--body-file <file>', 'the file that holds it; - reads standard input')
    .option('--header <name:value>', 'a header of it; may be given again', readHeader)
    .option('--key <key>', 'its idempotency key; default a new UUID')
    .option('--delay <ms>', 'the first attempt starts that much later; up to a year', wholeNumber(0, MAX_DELAY_MS))
    .option(
      '--priority <n>',
      `1, which goes first, to ${MAX_PRIORITY}; writes without one go before all`,
      wholeNumber(1, MAX_PRIORITY),
    )
    .option('--max-attempts <n>', `in place of the destination's; 1 to ${MAX_ATTEMPTS}`, wholeNumber(1, MAX_ATTEMPTS))
    .option('--expires-at <time>', 'not sent after it: ISO time with zone, or epoch ms')
    .option('--file <file>', 'many writes: the file that holds the lines')
    .addHelpText('after', ENQUEUE_HELP)
    .action(run(async () => (await import('./enqueue.ts')).enqueue));
  program
    .command('find <id>')
    .description('where is my write? By idempotency key, job id, dead letter id, or request_id')
    .option('--destination <name>', 'look in this one only')
    .option(
      '--scan-limit <n>',
      'delivered writes to go through for a request_id, the newest first; 0 for none; default 200000',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .action(run(async () => (await import('./find.ts')).findCommand));
  addDeadLetters(program, run);
  program
    .command('status')
    .description('per destination: who serves it, what stands where and since when, and what is kept')
    .option('--destination <name>', 'this one only')
    .option('--wide', 'all columns')
    .action(run(async () => (await import('./status.ts')).statusCommand));
  for (const [verb, description] of [
    ['pause', 'hold a destination: workers finish what they have and take no more of its writes'],
    ['resume', 'let a paused destination go on'],
  ] as const) {
    program
      .command(`${verb} <destination>`)
      .description(description)
      .option('--reason <text>', 'why you do it; written down with the act')
      .option('--by <name>', 'who does it; default WAYBILL_OPERATOR, or user@host')
      .action(run(async () => (await import('./pause.ts'))[`${verb}Command`]));
  }
  addFilterFlags(program.command('what-if'))
    .description('what another retry policy would have done for the dead letters, by the attempts on record')
    .option('--max-attempts <n>', 'attempts in all, the first one included', wholeNumber(1, MAX_ATTEMPTS))
    .option('--base <span>', 'the wait after the first attempt: 1s, 2m', durationUpTo(MAX_BASE_MS, 'an hour'))
    .option('--cap <span>', 'the longest wait before jitter: 60s, 15m', durationUpTo(MAX_CAP_MS, 'a day'))
    .option('--jitter <share>', 'what chance may add to a wait, 0 to 1', share)
    .addOption(new Option('--state <state>', 'of those in this state; default all').choices(LETTER_STATES))
    .addOption(noReasonHere())
    .addHelpText('after', WHAT_IF_HELP)
    .action(run(async () => (await import('./what-if.ts')).whatIfCommand));
  program
    .command('dashboard')
    .description('dead letters in a browser: why, replay, discard; until SIGTERM')
    .option('--host <ip>', 'listen there; default 127.0.0.1, this machine alone, and any other needs a way to sign in')
    .option('--port <n>', 'default 7070; 0 for a free one', wholeNumber(0, 65_535))
    .option('--base <path>', 'serve it below a path, such as /ops/waybill')
    .addOption(new Option('--log-level <level>', 'lines of this level and above').choices(LOG_LEVELS))
    .addHelpText('after', DASHBOARD_HELP)
    .action(run(async () => (await import('./dashboard.ts')).dashboard));
  program
    .command('doctor')
    .description('can Redis, this configuration and the APIs keep the promises? Sends no write')
    .option('--destination <name>', 'of the destinations, this one only')
    .action(run(async () => (await import('./doctor.ts')).doctor));
  program
    .command('sandbox')
    .description('a twin of a real API on loopback, with faults on request')
    .option('--port <n>', 'default: a free one', wholeNumber(0, 65_535))
    .option('--host <ip>', 'listen there: 0.0.0.0 in a container; default 127.0.0.1, this machine alone')
    .option('--api-key <key>', 'what x-api-key must be; default sandbox-key')
    .option('--seed <n>', 'of the random faults', wholeNumber(0, 2 ** 32))
    .option(
      '--fault <name=rate>',
      'a random fault, 0 to 1; may be given again',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option('--latency-ms <ms>', 'how long a write takes', wholeNumber(0, 600_000))
    .option('--key-ttl-ms <ms>', 'how long a key is kept', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action(run(async () => (await import('./sandbox.ts')).sandbox));
  program
    .command('completion')
    .description('the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', COMPLETION_HELP)
    .action(run(async () => (await import('./completion.ts')).completion));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => end(await (await import('./completion.ts')).complete(io, program, words)));
  return program;
}

const DASHBOARD_HELP = `
Who may sign in stands in WAYBILL_DASHBOARD_TOKENS, or in the file that WAYBILL_DASHBOARD_TOKENS_FILE names, as
name:role:token with a role of viewer, operator or admin. Without it the dashboard is open to this machine alone.`;

function version(): string {
  // Beside cli/ in a checkout, beside dist/ in the package.
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const { name, version: found }: Record<string, string> = JSON.parse(
        readFileSync(new URL(up, import.meta.url), 'utf8'),
      );
      if (name === 'waybill' && found !== undefined) return found;
    } catch {
      // not there
    }
  }
  return 'unknown';
}
