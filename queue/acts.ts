// What operators, and retention, did to dead letters: who, when, what and why. Written in the step that acts, before
// it acts; read from the letter itself or from the destination's audit stream.
import { printable } from '../core/envelope.ts';
import { WaybillError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import type { Verdict } from '../core/verdict.ts';
import { auditKey } from './keys.ts';
import type { Reader } from './reader.ts';

/** Who acts, and why: both stand in the audit stream. */
export interface Operator {
  /** A person's or a program's name, 1 to 200 characters. */
  by: string;
  /** 1 to 1000 characters. */
  reason: string;
}

/** Who acts upon one letter, and as a part of what. */
export interface Acting extends Operator {
  /** The act's own id, where the same act may be tried again by somebody who does not know what came of it. */
  actId?: string;
  /** The bulk operation that it is an item of. */
  operation?: string;
}

/** One act upon one dead letter. */
export interface Act extends Operator {
  act: 'replay' | 'probe' | 'discard' | 'restore';
  /** Of the act itself: an operator whose answer was lost asks again and is told that it was his. */
  id: string;
  /** Epoch ms. */
  at: number;
  letter: string;
  jobId: string;
  /** The letter's, when the act was done. */
  verdict: Verdict;
  /** Of a replay or a probe. */
  generation?: number;
  /** Of a replay under a new key. */
  newKey?: { idempotencyKey: string; jobId: string };
  /** Of a replay under a new key: another path, headers or body went out than those of the letter. */
  edited?: true;
  /** Of a replay: a double application was possible, and accepted. */
  doubleAccepted?: true;
  /** The bulk operation that it was an item of. */
  operation?: string;
}

/** What was done with a bulk operation itself. */
export interface OperationAct extends Operator {
  act: 'operation-created' | 'operation-paused' | 'operation-resumed' | 'operation-cancelled' | 'operation-done';
  at: number;
  operation: string;
  /** What it does to its letters. */
  verb: 'replay' | 'discard' | 'restore';
  /** How many letters it means; of one that has ended, how many it has acted on. */
  count: number;
  /** The letters that it means, as a query string; missing where they were named. */
  filter?: string;
  /** A double application was accepted. */
  doubleAccepted?: true;
}

/** A destination was paused, or let go on. */
export interface PauseAct extends Operator {
  act: 'pause' | 'resume';
  /** Epoch ms. */
  at: number;
}

/** Retention took open dead letters away. */
export interface Trimmed {
  act: 'trim';
  by: 'retention';
  at: number;
  count: number;
  /** Letter ids. */
  first: string;
  last: string;
}

/** Where a letter is: a probed one is `replayed`, as it was sent again. `replayed` and `discarded` ones are kept until retention ends. */
export type LetterState = 'open' | 'replayed' | 'discarded';

const MAX_BY = 200;
const MAX_REASON = 1000;

/** @throws WaybillError INVALID_WRITE naming `by` or `reason` */
export function checkOperator({ by, reason }: Operator): Operator {
  const check = (field: string, value: unknown, max: number): string => {
    if (typeof value === 'string' && value.trim() !== '' && value.length <= max) return printable(value.trim(), max);
    throw new WaybillError('INVALID_WRITE', `${field}: must be a text of 1 to ${max} characters`, { field });
  };
  return { by: check('by', by, MAX_BY), reason: check('reason', reason, MAX_REASON) };
}

/** The acts of one letter, the oldest first. @param text a JSON act a line, as it stands in Redis */
export function parseActs(text: string | null | undefined): Act[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const act = parse(line);
    return act && isActOnLetter(act) ? [act] : [];
  });
}

export function letterState(acts: readonly Act[]): LetterState {
  const last = acts.at(-1)?.act;
  return last === 'replay' || last === 'probe' ? 'replayed' : last === 'discard' ? 'discarded' : 'open';
}

type Noted = Act | Trimmed | OperationAct | PauseAct;

/** An entry of the audit stream. */
export type AuditEntry = { destination: string; entry: string } & Noted;

export const isOperationAct = <T extends Noted>(act: T): act is T & OperationAct => act.act.startsWith('operation-');
export const isPauseAct = <T extends Noted>(act: T): act is T & PauseAct => act.act === 'pause' || act.act === 'resume';
const isActOnLetter = (act: Noted): act is Act => act.act !== 'trim' && !isOperationAct(act) && !isPauseAct(act);

const PAGE = 200;

/**
 * What was done at a destination, the newest first; `entry` is the stream's id, to go on from.
 * @param behind an entry: those that are older than it
 */
export async function* audit(reader: Reader, destination: string, behind?: string): AsyncGenerator<AuditEntry> {
  let before = behind === undefined ? '+' : `(${behind}`;
  for (;;) {
    const entries = await reader.client.xrevrange(auditKey(destination), before, '-', 'COUNT', PAGE);
    for (const [entry, [, text]] of entries) {
      const act = parse(text ?? '');
      if (act) yield { destination, entry, ...act };
    }
    const last = entries.at(-1)?.[0];
    if (last === undefined || entries.length < PAGE) return;
    before = `(${last}`;
  }
}

/** Acts that a later version writes are passed over. */
const ACTS = [
  'replay',
  'probe',
  'discard',
  'restore',
  'trim',
  'pause',
  'resume',
  'operation-created',
  'operation-paused',
  'operation-resumed',
  'operation-cancelled',
  'operation-done',
];

function parse(text: string): Noted | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const whole = isRecord(value) && ACTS.includes(String(value.act)) && Number.isFinite(value.at);
    return whole && typeof value.by === 'string' ? (value as unknown as Noted) : undefined;
  } catch {
    return undefined;
  }
}
