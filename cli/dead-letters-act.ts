// waybill dead-letters replay, probe, discard, restore: settle what is meant, show it, ask, then carry it out.
import { ACCEPT_DOUBLE_PHRASE, TYPED_ABOVE } from '../core/bulk.ts';
import { configuredAs, type DestinationConfig } from '../core/config.ts';
import { DEAD_REASONS } from '../core/decide.ts';
import { WaybillError } from '../core/errors.ts';
import { checkOperator, type Operator } from '../queue/acts.ts';
import { Reader } from '../queue/reader.ts';
import { askText, confirm } from './ask.ts';
import { counted, describePlan } from './act-text.ts';
import { carryOut, printResults, resultOf } from './carry-out.ts';
import { type EditFlags, editOf } from './edit-flags.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import { DISCARDING, type LetterAct, probing, replaying, RESTORING } from './letter-acts.ts';
import { type FilterFlags, filterOf } from './letter-flags.ts';
import { lettersFrom } from './letters-from.ts';
import { type NamedLetter, type Plan, planFor } from './letter-plan.ts';
import { operatorName } from './operator.ts';
import { loadConfig } from './settings.ts';
import { unserved } from './unserved.ts';

export interface ActFlags extends FilterFlags {
  all?: boolean;
  by?: string;
  reason?: string;
  dryRun?: boolean;
  yes?: boolean;
  /** A second. */
  rate?: number;
  limit: number;
}

export interface ReplayFlags extends ActFlags, EditFlags {
  /** A file of an export, `-` for standard input. */
  from?: string;
  newKey?: boolean;
  acceptDouble?: boolean;
  ignoreExpiry?: boolean;
}

export async function deadLettersReplay(io: Io, flags: ReplayFlags, ids: readonly string[]): Promise<ExitCode> {
  const { newKey, acceptDouble, ignoreExpiry, from, bodyFile } = flags;
  if (from !== undefined && ids.length > 0)
    throw new CliError('USAGE', '--from and ids both say which dead letters: give one of them');
  if (from === '-' && bodyFile === '-')
    throw new CliError('USAGE', '--from - and --body-file - both read standard input');
  const edit = await editOf(io, flags);
  if (edit && (ids.length !== 1 || from !== undefined))
    throw new CliError('USAGE', 'a changed write is one write: give the id of one dead letter');
  const act = replaying({
    ...((newKey || edit) && { newKey: true as const }),
    ...(acceptDouble && { acceptDouble }),
    ...(ignoreExpiry && { ignoreExpiry }),
    ...(edit && { edit }),
  });
  return actOnLetters(io, flags, from === undefined ? ids : await lettersFrom(io, from), act);
}

export interface ProbeFlags extends ActFlags {
  /** For each answer, ms. */
  wait?: number;
}

export async function deadLettersProbe(io: Io, flags: ProbeFlags, ids: readonly string[]): Promise<ExitCode> {
  if (flags.wait !== undefined) return actOnLetters(io, flags, ids, probing(flags.wait));
  const config = await loadConfig(io, flags);
  return actOnLetters(
    io,
    flags,
    ids,
    probing((destination) => answerWithinMs(configuredAs(config, destination))),
  );
}

/** Four attempts of the usual time limit: others may be before it. */
const PROBE_WAIT_MS = 60_000;
/** For what is before a long attempt. */
const BEFORE_MS = 30_000;

/** How long the answer to a probe is waited for, where nobody says. @param config missing where it stands elsewhere */
export const answerWithinMs = (config: Pick<DestinationConfig, 'timeoutMs'> | undefined): number =>
  Math.max(PROBE_WAIT_MS, (config?.timeoutMs ?? 0) + BEFORE_MS);

export const deadLettersDiscard = (io: Io, flags: ActFlags, ids: readonly string[]): Promise<ExitCode> =>
  actOnLetters(io, flags, ids, DISCARDING);

export const deadLettersRestore = (io: Io, flags: ActFlags, ids: readonly string[]): Promise<ExitCode> =>
  actOnLetters(io, flags, ids, RESTORING);

type Ids = readonly (string | NamedLetter)[];

async function actOnLetters(io: Io, flags: ActFlags, ids: Ids, act: LetterAct): Promise<ExitCode> {
  const now = Date.now();
  const given = filterOf(flags, now);
  const filter = ids.length > 0 ? given : { ...act.only, ...given };
  const { destination, limit, dryRun = false } = flags;
  if (ids.length === 0 && destination === undefined && Object.keys(given).length === 0 && !flags.all)
    throw new CliError(
      'USAGE',
      `which dead letters? Give ids or flags that say what they have in common; --all is every one`,
    );
  if (DEAD_REASONS.some((reason) => reason === flags.reason))
    throw new CliError(
      'USAGE',
      `--reason is why you ${act.verb} them; those that died of it are asked for with --dead-reason ${flags.reason}`,
    );
  const operator = dryRun ? undefined : operatorOf(io, flags, act);
  const { redis } = await loadConfig(io, flags);
  const reader = await Reader.open(redis);
  try {
    const plan = await planFor(reader, act, { ids, destination, filter, limit }, now);
    for (const line of describePlan(plan, act, operator)) say(io, line);
    if (!operator || plan.items.length === 0) {
      const results = plan.items.map((item) => resultOf(item, act));
      await printResults(io, flags, results);
      return plan.todo < plan.items.length ? EXIT.failed : EXIT.ok;
    }
    const tried = plan.items.flatMap((item) => (item.not || item.destination === undefined ? [] : [item.destination]));
    const told = new Set(act.answered ? await unserved(reader, tried) : []);
    for (const line of told) say(io, line);
    if (plan.todo > 0 && !(await isConfirmed(io, flags, plan, act)))
      throw new CliError('CANCELLED', 'nothing was done');
    return await carryOut(io, flags, plan, act, operator, reader, told);
  } finally {
    await reader.close();
  }
}

/** Told before anything is read: a reason is owed whatever matches. */
function operatorOf(io: Io, { by, reason }: ActFlags, { verb }: LetterAct): Operator {
  if (reason === undefined)
    throw new CliError('USAGE', `--reason TEXT is needed: why you ${verb} them; it is written down with the act`);
  try {
    return checkOperator({ by: operatorName(io, by), reason });
  } catch (error) {
    if (error instanceof WaybillError) throw new CliError('USAGE', `--${error.message}`, error);
    throw error;
  }
}

async function isConfirmed(io: Io, { yes = false }: ActFlags, plan: Plan, { verb, how }: LetterAct): Promise<boolean> {
  const { todo, doubles } = plan;
  const question = `${verb[0]?.toUpperCase()}${verb.slice(1)} ${counted(todo)}${how(todo)}?`;
  if (doubles > 0) {
    // On a terminal it is typed whatever was given: a line of the history must not do it once more.
    const given = yes && !(io.stdin.isTTY && io.stderr.isTTY);
    await askText(io, `${doubles} of the writes may be applied twice. Type "${ACCEPT_DOUBLE_PHRASE}" to accept that.`, {
      yes: given,
      expected: ACCEPT_DOUBLE_PHRASE,
    });
  }
  if (todo <= TYPED_ABOVE) return confirm(io, question, { yes });
  await askText(io, `${question} Type ${todo} to go on.`, { yes, expected: String(todo) });
  return true;
}
