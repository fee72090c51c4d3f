// Reading bulk operations: a list, one, its items, and a cheap mark that tells whether one has changed.
import { isRecord } from '../../core/json.ts';
import { WaybillError } from '../../core/errors.ts';
import type { Reader } from '../reader.ts';
import { generationOfLetter, letterId } from '../keys.ts';
import { indexKeys, operationKeys } from './keys.ts';
import type { Operation, OperationItem, OperationState, Spec } from './operation.ts';
import { meaningOf, RESULTS, type Result } from './results.ts';
import { stepsOf } from './steps.ts';

/** What stands in Redis of an operation, parsed. */
export interface Standing {
  spec: Spec;
  state: OperationState;
  because?: string;
  total: number;
  /** Index of the first item that has no result yet. */
  next: number;
  counts: Record<Result, number>;
  /** Of replayed writes. */
  delivered: number;
  dead: number;
  /** The item from which on the share is judged, and what became of those; somebody's resuming moves it on. */
  since: { from: number; done: number; delivered: number; dead: number };
  step?: { n: number; until: number; waitingFrom?: number };
  /** When something was last done, epoch ms. */
  lastAt: number;
  endedAt?: number;
}

/** @returns undefined where there is none, or something else stands in its place */
export async function readStanding(reader: Reader, destination: string, id: string): Promise<Standing | undefined> {
  const [standing] = await readStandings(reader, destination, [id]);
  return standing;
}

export async function readStandings(
  reader: Reader,
  destination: string,
  ids: readonly string[],
): Promise<(Standing | undefined)[]> {
  const pipeline = reader.client.pipeline();
  for (const id of ids) pipeline.hgetall(operationKeys(destination, id).operation);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, fields]) => {
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    return error ? undefined : standingOf(fields as Record<string, string>);
  });
}

function standingOf(fields: Record<string, string>): Standing | undefined {
  const spec = parseSpec(fields.spec);
  if (!spec) return undefined;
  const number = (name: string): number => Number(fields[name] ?? 0);
  const { because, endedAt, step, waitingFrom } = fields;
  return {
    spec,
    state: fields.state as OperationState,
    ...(because !== undefined && { because }),
    total: number('total'),
    next: number('next'),
    counts: Object.fromEntries(RESULTS.map((name) => [name, number(name)])) as Record<Result, number>,
    delivered: number('delivered'),
    dead: number('dead'),
    since: {
      from: number('since'),
      done: number('doneSince'),
      delivered: number('deliveredSince'),
      dead: number('deadSince'),
    },
    ...(step !== undefined && {
      step: {
        n: Number(step),
        until: number('until'),
        ...(waitingFrom !== undefined && { waitingFrom: Number(waitingFrom) }),
      },
    }),
    lastAt: number('lastAt'),
    ...(endedAt !== undefined && { endedAt: Number(endedAt) }),
  };
}

function parseSpec(text: string | undefined): Spec | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && typeof value.id === 'string' ? (value as unknown as Spec) : undefined;
  } catch {
    return undefined;
  }
}

/** Whose end is not known. */
export const underwayOf = ({ spec, counts, delivered, dead }: Standing): number =>
  spec.act === 'replay' ? counts.done - delivered - dead : 0;

function shown(standing: Standing): Operation {
  const { spec, state, because, total, counts, delivered, dead, step, endedAt } = standing;
  return {
    ...spec,
    state,
    ...(state === 'paused' && because !== undefined && { pausedBecause: because }),
    total,
    counts,
    after: { delivered, dead, underway: underwayOf(standing) },
    ...(step && {
      step: {
        n: step.n,
        of: stepsOf(total).length,
        until: Math.min(step.until, total),
        waiting: state === 'running' && step.waitingFrom !== undefined,
      },
    }),
    ...(endedAt !== undefined && { endedAt }),
  };
}

const LIST_LIMIT = 200;

/**
 * The newest operations of all destinations, or of one, the newest first; no more are read than are listed.
 * @throws WaybillError NOT_FOUND for an unknown destination
 */
export async function listOperations(reader: Reader, only?: string, limit = LIST_LIMIT): Promise<Operation[]> {
  const listed: { destination: string; id: string; at: number }[] = [];
  for (const destination of await reader.destinations(only)) {
    const byTime = await reader.client.zrevrange(indexKeys(destination).byTime, 0, limit - 1, 'WITHSCORES');
    for (let i = 0; i < byTime.length; i += 2)
      listed.push({ destination, id: byTime[i] ?? '', at: Number(byTime[i + 1]) });
  }
  const newest = listed.toSorted((a, b) => b.at - a.at).slice(0, limit);
  const found = new Map<string, Operation>();
  for (const [destination, some] of Map.groupBy(newest, (one) => one.destination)) {
    const ids = some.map(({ id }) => id);
    for (const standing of await readStandings(reader, destination, ids))
      if (standing) found.set(standing.spec.id, shown(standing));
  }
  return newest.flatMap(({ id }) => found.get(id) ?? []);
}

/** @throws WaybillError NOT_FOUND */
export async function getOperation(reader: Reader, destination: string, id: string): Promise<Operation> {
  const standing = await readStanding(reader, destination, id);
  if (standing) return shown(standing);
  throw noOperation(destination, id);
}

export const noOperation = (destination: string, id: string): WaybillError =>
  new WaybillError(
    'NOT_FOUND',
    `no operation ${JSON.stringify(id.slice(0, 80))} at ${destination}; those that have ended are kept for 30 days`,
  );

/** By id, for all destinations or one: a mark that differs whenever the operation does. */
export async function marksOfOperations(reader: Reader, only?: string): Promise<Record<string, string>> {
  const marks: Record<string, string> = {};
  for (const destination of await reader.destinations(only))
    Object.assign(marks, await reader.client.hgetall(indexKeys(destination).marks));
  return marks;
}

export interface ItemsAsked {
  result?: Result | 'pending' | undefined;
  /** Index to begin with; 0 when left out. */
  cursor?: number;
  limit?: number;
}

const ITEMS_LIMIT = 100;

/** Items in their order; `next` is the cursor of the next page. @throws WaybillError NOT_FOUND */
export async function operationItems(
  reader: Reader,
  destination: string,
  id: string,
  { result, cursor = 0, limit = ITEMS_LIMIT }: ItemsAsked = {},
): Promise<{ items: OperationItem[]; next?: number }> {
  const keys = operationKeys(destination, id);
  const standing = await readStanding(reader, destination, id);
  if (!standing) throw noOperation(destination, id);
  const results = (await reader.client.get(keys.results)) ?? '';
  const total = await reader.client.llen(keys.items);
  const indexes: number[] = [];
  let at = cursor;
  for (; at < total && indexes.length < limit; at++)
    if (result === undefined || meaningOf(results[at]).result === result) indexes.push(at);
  return { items: await readItems(reader, keys, indexes, results), ...(at < total && { next: at }) };
}

async function readItems(
  reader: Reader,
  keys: ReturnType<typeof operationKeys>,
  indexes: readonly number[],
  results: string,
): Promise<OperationItem[]> {
  if (indexes.length === 0) return [];
  const pipeline = reader.client.pipeline();
  for (const index of indexes) pipeline.lindex(keys.items, index);
  const replies = (await pipeline.exec()) ?? [];
  const details = await reader.client.hmget(keys.details, ...indexes.map(String));
  return indexes.map((index, i) => {
    const [error, letter] = replies[i] ?? [];
    if (error) throw error;
    const { generation: _generation, ...told } = parseDetail(details[i]);
    const { result, end } = meaningOf(results[index]);
    const endLetter = end === 'dead' ? letterAfter(String(letter), parseDetail(details[i])) : undefined;
    return {
      index,
      letter: String(letter),
      result,
      ...told,
      ...(end !== undefined && { end }),
      ...(endLetter !== undefined && { endLetter }),
    };
  });
}

/** What is kept of an item's result. */
export interface Detail {
  at?: number;
  message?: string;
  jobId?: string;
  idempotencyKey?: string;
  /** Of the write that went out. */
  generation?: number;
}

export function parseDetail(text: string | null | undefined): Detail {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** The letter that a replayed write leaves if it dies again. */
export const letterAfter = (letter: string, { jobId, generation }: Detail): string | undefined =>
  jobId === undefined ? undefined : letterId(jobId, generation ?? (generationOfLetter(letter) ?? 0) + 1);
