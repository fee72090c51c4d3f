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
import { wholeNumber } from './flag-values.ts';
import type { Io } from './io.ts';

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
