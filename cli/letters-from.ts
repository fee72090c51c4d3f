// The dead letters that the lines of an export name: all lines are read before anything is done with any of them.
import { printable } from '../core/envelope.ts';
import { isRecord } from '../core/json.ts';
import { codeOf } from '../core/outcome.ts';
import { checkDestinationName } from '../core/write.ts';
import { CliError } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import type { NamedLetter } from './letter-plan.ts';
import { type Line, openInput, readLines } from './read-lines.ts';

export const MAX_LINES = 100_000;
/** Longer than any id of a dead letter. */
const MAX_ID = 300;
/** Wrong lines that are told; the others are counted. */
const TOLD = 10;

/**
 * @param name of a file; `-` is standard input
 * @returns each letter once, in the order of the lines
 * @throws CliError USAGE naming every wrong line by its number, or where there are too many lines
 */
export async function lettersFrom(io: Io, name: string): Promise<NamedLetter[]> {
  if (name === '-' && io.stdin.isTTY) say(io, 'the lines of an export; Ctrl-D ends');
  const input = name === '-' ? io.stdin : await openInput(io, '--from', name);
  const named = new Map<string, NamedLetter>();
  const wrong: string[] = [];
  let lines = 0;
  try {
    for await (const some of readLines(input)) {
      for (const line of some) {
        const read = readLine(line);
        if (read === undefined) continue;
        lines += 1;
        if (lines > MAX_LINES)
          throw new CliError('USAGE', `--from ${name} has more than ${MAX_LINES} lines: cut it up`);
        if ('wrong' in read) wrong.push(`line ${line.number} ${read.wrong}`);
        else named.set(`${read.destination}\n${read.id}`, read);
      }
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('USAGE', `--from ${name} cannot be read (${codeOf(error)})`, error);
  }
  if (wrong.length > 0) {
    const more = wrong.length > TOLD ? `; and ${wrong.length - TOLD} more` : '';
    throw new CliError('USAGE', `--from ${name}: ${wrong.slice(0, TOLD).join('; ')}${more}. Nothing was done`);
  }
  if (named.size === 0) throw new CliError('USAGE', `--from ${name} names no dead letter`);
  return [...named.values()];
}

/** @returns undefined for a blank line */
function readLine(line: Line): NamedLetter | { wrong: string } | undefined {
  if ('wrong' in line) return { wrong: line.wrong };
  if (line.text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return { wrong: 'is not JSON' };
  }
  if (!isRecord(value)) return { wrong: 'is not a JSON object' };
  const { id, destination } = value;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID)
    return { wrong: 'has no id of a dead letter, as an export gives it' };
  try {
    return { id, destination: checkDestinationName(destination) };
  } catch {
    const said = typeof destination === 'string' ? `: ${JSON.stringify(printable(destination, 80))}` : '';
    return { wrong: `has no name of a destination${said}` };
  }
}
