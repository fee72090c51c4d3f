// The commands and their options; each one's work stands in a file of its name.
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option, type OptionValues } from 'commander';
import { ENVIRONMENT_HELP } from './config-env.ts';
import { deadLettersExport, deadLettersList } from './dead-letters.ts';
import { dev } from './dev.ts';
import { enqueue, ENQUEUE_HELP } from './enqueue.ts';
import { EXIT_CODES_HELP, type ExitCode } from './exit-codes.ts';
import { findCommand } from './find.ts';
import type { Io } from './io.ts';
import { sandbox } from './sandbox.ts';
import { statusCommand } from './status.ts';
import { worker } from './worker.ts';

const MAX_LIMIT = 10_000;

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
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, put) => put(text.replace(/^error: /, 'waybill: USAGE: ')) })
    .exitOverride()
    .addHelpText('after', ENVIRONMENT_HELP)
    .addHelpText('after', EXIT_CODES_HELP);

  /** Hands a command its options, the global ones among them, and passes its exit code on. */
  const run =
    <Options extends OptionValues>(command: (io: Io, options: Options, argument: string) => Promise<ExitCode>) =>
    async (...given: unknown[]): Promise<void> => {
      const [argument, at] = [given[0], given.at(-1)];
      if (!(at instanceof Command)) throw new TypeError('commander gives the command last');
      end(await command(io, at.optsWithGlobals<Options>(), typeof argument === 'string' ? argument : ''));
    };

  program
    .command('dev')
    .description('try it on this machine: a private Redis, a sandbox API, a worker and a dozen writes')
    .action(run(dev));
  program
    .command('worker')
    .description('send the writes of the configured destinations until SIGTERM')
    .option('--destinations <a,b>', 'only these', (text) => text.split(',').filter(Boolean))
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent')
    .action(run(worker));
  program
    .command('enqueue <destination>')
    .description('add the writes that stand on standard input, one JSON object a line')
    .addHelpText('after', ENQUEUE_HELP)
    .action(run(enqueue));
  program
    .command('find <id>')
    .description('where is my write? By idempotency key, job id, dead letter id, or the request_id of a dead one')
    .option('--destination <name>', 'look in this one only')
    .action(run(findCommand));
  const letters = program.command('dead-letters').description('writes that could not be delivered');
  letters
    .command('list')
    .description('the newest first')
    .option('--destination <name>', 'of this one only')
    .option('--limit <n>', 'at most so many', wholeNumber(1, MAX_LIMIT), 50)
    .action(run(deadLettersList));
  letters
    .command('export')
    .description('all of them, the oldest first, a JSON object a line; -o json: as one array')
    .option('--destination <name>', 'of this one only')
    .action(run(deadLettersExport));
  program
    .command('status')
    .description('counts per destination, and who serves it')
    .option('--destination <name>', 'this one only')
    .action(run(statusCommand));
  program
    .command('sandbox')
    .description('a twin of a real API on loopback, with faults on request')
    .option('--port <n>', 'default: a free one', wholeNumber(0, 65_535))
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
    .action(run(sandbox));
  return program;
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
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
