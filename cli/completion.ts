// waybill completion: a shell's script, and the answers that the script asks for at a Tab. They follow from the commands
// as commander knows them, so that no list of them is kept twice.
import type { Command, Option } from 'commander';
import { isRecord } from '../core/json.ts';
import { FILES, SCRIPTS, SHELLS } from './completion-scripts.ts';
import { readConfigFile } from './config-file.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, write } from './io.ts';
import { refuseOutput } from './output.ts';
import type { GlobalFlags } from './settings.ts';

/** A configuration that takes longer to load gives no names: nobody waits for a Tab. */
const CONFIG_WITHIN_MS = 1000;

export async function completion(io: Io, { output }: GlobalFlags, given: string): Promise<ExitCode> {
  refuseOutput(output, 'a script is all it prints');
  const shell = SHELLS.find((name) => name === given);
  if (shell === undefined) throw new CliError('USAGE', `the shell must be one of ${SHELLS.join(', ')}`);
  await write(io.stdout, SCRIPTS[shell]);
  return EXIT.ok;
}

/** @param words those behind `waybill` up to the cursor, the last one being typed, perhaps empty */
export async function complete(io: Io, program: Command, words: readonly string[]): Promise<ExitCode> {
  const { wanted, current, before, taken = [], config } = atCursor(program, words);
  const answers = wanted === 'destinations' ? await destinationNames(io, config) : wanted;
  const lines =
    answers === 'files'
      ? [FILES]
      : answers
          .filter(({ value }) => value.startsWith(current) && !taken.includes(value))
          .map(({ value, description }) => `${before}${value}\t${description}`);
  await write(io.stdout, lines.map((line) => `${line}\n`).join(''));
  return EXIT.ok;
}

interface Answer {
  value: string;
  description: string;
}
type Wanted = Answer[] | 'files' | 'destinations';

interface AtCursor {
  wanted: Wanted;
  /** What the answers must start with. */
  current: string;
  /** What stands before it in the same word: `--output=`, `sms,`. */
  before: string;
  /** Values that stand in the same list already. */
  taken?: readonly string[];
  /** Of --config. */
  config: string | undefined;
}

function atCursor(program: Command, words: readonly string[]): AtCursor {
  let command = program;
  let positional = 0;
  let onlyArguments = false;
  let owed: Option | undefined;
  let config: string | undefined;
  const give = (option: Option, value: string): void => {
    if (option.attributeName() === 'config') config = value;
  };
  for (const word of words.slice(0, -1)) {
    if (owed) {
      if (word === '=') continue; // bash splits --output=json there
      give(owed, word);
      owed = undefined;
    } else if (!onlyArguments && word === '--') onlyArguments = true;
    else if (!onlyArguments && word.startsWith('-') && word !== '-') {
      const [name = '', value] = word.split(/=(.*)/s, 2);
      const option = optionsOf(program, command).find(({ long, short }) => name === long || name === short);
      if (option && value !== undefined) give(option, value);
      else if (option?.required) owed = option;
    } else {
      const next = positional === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (next) command = next;
      else positional += 1;
    }
  }

  const last = words.at(-1) ?? '';
  const at = (wanted: Wanted, current: string, before = ''): AtCursor => ({ wanted, current, before, config });
  const values = (option: Option, typed: string, before = ''): AtCursor => {
    const several = option.attributeName() === 'destinations' ? typed.lastIndexOf(',') + 1 : 0;
    const listed = typed.slice(0, several);
    return { ...at(valuesOf(option), typed.slice(several), before + listed), taken: listed.split(',') };
  };
  if (owed) return values(owed, last === '=' ? '' : last);
  if (!onlyArguments && last.startsWith('-')) {
    const [name = '', typed] = last.split(/=(.*)/s, 2);
    const options = optionsOf(program, command);
    if (typed === undefined) return at(options.flatMap(asAnswer), last);
    const option = options.find(({ long }) => long === name);
    return option ? values(option, typed, `${name}=`) : at([], last);
  }
  if (positional === 0 && command.commands.length > 0) return at(subcommandsOf(program, command), last);
  const { registeredArguments } = command;
  const argument = registeredArguments[positional];
  if (argument?.name() === 'destination') return at('destinations', last);
  return at((argument?.argChoices ?? []).map(plain), last);
}

/** What the name and the placeholder of an option say about its value. */
function valuesOf(option: Option): Wanted {
  if (option.argChoices) return option.argChoices.map(plain);
  if (option.flags.includes('<file>')) return 'files';
  return /^destinations?$/.test(option.attributeName()) ? 'destinations' : [];
}

const plain = (value: string): Answer => ({ value, description: '' });

const asAnswer = ({ long, description }: Option): Answer[] => (long ? [{ value: long, description }] : []);

function optionsOf(program: Command, command: Command): Option[] {
  const help = Object.assign(program.createHelp(), { showGlobalOptions: true });
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

function subcommandsOf(program: Command, command: Command): Answer[] {
  return program
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), description: one.description() }));
}

/** From the configuration file alone; one that cannot be read gives none, and is told by the command itself. */
async function destinationNames(io: Io, named: string | undefined): Promise<Answer[]> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), CONFIG_WITHIN_MS);
  });
  try {
    const file = await Promise.race([readConfigFile(io.cwd, named ?? (io.env.WAYBILL_CONFIG || undefined)), limit]);
    const destinations = isRecord(file?.value) ? file.value.destinations : undefined;
    return isRecord(destinations) ? Object.keys(destinations).toSorted().map(plain) : [];
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
