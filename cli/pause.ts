// waybill pause, waybill resume: hold a destination, and let it go on. Both can be taken back, so neither asks.
import { WaybillError } from '../core/errors.ts';
import { printable } from '../core/envelope.ts';
import { checkOperator, type Operator } from '../queue/acts.ts';
import { type PauseAnswer, pauseDestination, resumeDestination } from '../queue/pause.ts';
import type { Reader } from '../queue/reader.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import { operatorName } from './operator.ts';
import { printDocuments } from './output.ts';
import { isoTime, withReader } from './reading.ts';
import type { GlobalFlags } from './settings.ts';

export interface PauseFlags extends GlobalFlags {
  reason?: string;
  by?: string;
}

const MAX_SHOWN = 200;

export const pauseCommand = (io: Io, flags: PauseFlags, destination: string): Promise<ExitCode> =>
  turn(io, flags, destination, 'pause', pauseDestination);

export const resumeCommand = (io: Io, flags: PauseFlags, destination: string): Promise<ExitCode> =>
  turn(io, flags, destination, 'resume', resumeDestination);

async function turn(
  io: Io,
  flags: PauseFlags,
  destination: string,
  verb: 'pause' | 'resume',
  act: (reader: Reader, destination: string, operator: Operator) => Promise<PauseAnswer>,
): Promise<ExitCode> {
  const operator = operatorOf(io, flags, verb);
  const answer = await withReader(io, flags, (reader) => act(reader, destination, operator));
  const { output = 'table' } = flags;
  if (output !== 'table') await printDocuments(io, output, [answer]);
  say(io, sentence(answer));
  return EXIT.ok;
}

function operatorOf(io: Io, { by, reason }: PauseFlags, verb: string): Operator {
  if (reason === undefined)
    throw new CliError('USAGE', `--reason TEXT is needed: why you ${verb} it; it is written down with the act`);
  try {
    return checkOperator({ by: operatorName(io, by), reason });
  } catch (error) {
    if (error instanceof WaybillError) throw new CliError('USAGE', `--${error.message}`, error);
    throw error;
  }
}

function sentence({ destination, paused, changed, last }: PauseAnswer): string {
  const state = paused ? 'paused' : 'not paused';
  if (!changed) {
    if (!last || (last.act === 'pause') !== paused) return `${destination} is ${state} already`;
    const did = paused ? 'paused' : 'resumed';
    const why = printable(last.reason, MAX_SHOWN);
    return `${destination} is ${state} already: ${printable(last.by, MAX_SHOWN)} ${did} it at ${isoTime(last.at)}: ${why}`;
  }
  return paused
    ? `${destination} is paused: workers finish what they have and take no more. Writes that were sent before keep their keys' life; one that it runs out for is dead. waybill resume ${destination} lets it go on`
    : `${destination} goes on`;
}
