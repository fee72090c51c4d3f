// The acts upon a dead letter as the command line knows them: what the rules say before, and the act itself.
import type { WaybillError } from '../core/errors.ts';
import type { ProbeRuling } from '../core/probe.ts';
import type { ReplayRuling } from '../core/replay.ts';
import type { Act, LetterState, Operator } from '../queue/acts.ts';
import { discard, refused, replay, type ReplayOptions, restore, ruleOnReplay } from '../queue/operate.ts';
import type { DeadLetter } from '../queue/letter.ts';
import type { LetterFilter } from '../queue/letter-filter.ts';
import { probe, type ProbeAnswer, probeRefused, ruleOnProbe, waitForAnswer } from '../queue/probe.ts';
import type { Reader } from '../queue/reader.ts';
import type { Letter } from './letter-selection.ts';
import { isoTime } from './reading.ts';

export interface ItemError {
  code: string;
  /** Which rule refused, or what is at fault, as WaybillError has it. */
  field?: string;
  message: string;
}

/** What is printed of one letter. */
export interface ItemResult {
  letter: string;
  destination?: string;
  status:
    | (typeof DONE)[keyof typeof DONE]
    | `would-${keyof typeof DONE}`
    /** The rules do not allow it. */
    | 'refused'
    /** Somebody was first. */
    | 'handled'
    | 'not-found'
    /** Redis did not say whether it was done, or something unforeseen. */
    | 'failed';
  /** Of the write that goes out. */
  jobId?: string;
  idempotencyKey?: string;
  generation?: number;
  doubleAccepted?: true;
  advice?: string;
  /** To a probe. */
  answer?: ProbeAnswer;
  error?: ItemError;
}

export const DONE = { replay: 'replayed', probe: 'probed', discard: 'discarded', restore: 'restored' } as const;

/** What the rules say to one letter. */
export type Ruled = { refused: ItemError } | { advice?: string; doubleAccepted?: boolean };

export interface LetterAct {
  verb: keyof typeof DONE;
  /** Where a letter must be. */
  from: LetterState;
  /** Those that are meant where no ids are given. */
  only?: LetterFilter;
  /** Behind "40 dead letters would be replayed". */
  how: (count: number) => string;
  /** @param now epoch ms */
  rule(letter: Letter, now: number): Ruled;
  /** @throws WaybillError as queue/operate.ts says */
  perform(reader: Reader, destination: string, letter: string, operator: Operator): Promise<Partial<ItemResult>>;
  /** Each answer is given time: where none comes, nobody is there to give one. */
  isPatient?: boolean;
  /** Waits, for a limited time, for what comes of an act that was performed. @param stop ends the wait */
  answered?(reader: Reader, done: ItemResult, stop: AbortSignal): Promise<ProbeAnswer>;
}

export function replaying(options: ReplayOptions): LetterAct {
  return {
    verb: 'replay',
    from: 'open',
    how(count) {
      if (options.edit) return ', changed, under a new key';
      if (options.newKey !== undefined) return count === 1 ? ' under a new key' : ' under new keys';
      return count === 1 ? ' under its own key' : ' under their own keys';
    },
    rule: (letter, now) => ruled(letter, (readable) => ruleOnReplay(readable, options, now), refused),
    async perform(reader, destination, letter, operator) {
      const { doubleAccepted, ...done } = await replay(reader, destination, letter, operator, options);
      return { ...done, ...(doubleAccepted && { doubleAccepted }) };
    },
  };
}

/** @param waitMs how long to wait for each answer, or for those of a destination; 0 looks once */
export const probing = (waitMs: number | ((destination: string) => number)): LetterAct => ({
  verb: 'probe',
  from: 'open',
  only: { verdict: 'in-doubt' },
  how: (count) => `, ${count === 1 ? 'with one attempt under its own key' : 'each with one attempt under its own key'}`,
  rule: (letter, now) => ruled(letter, (readable) => ruleOnProbe(readable, now), probeRefused),
  perform: probe,
  isPatient: waitMs !== 0,
  answered(reader, { destination = '', jobId = '', generation = 0 }, stop) {
    const limitMs = typeof waitMs === 'number' ? waitMs : waitMs(destination);
    return waitForAnswer(reader, { destination, jobId, generation }, limitMs, stop);
  },
});

/** @param rule of what is a letter @param refuse the error of what it does not allow */
function ruled<Ruling extends ReplayRuling | ProbeRuling>(
  letter: Letter,
  rule: (letter: DeadLetter) => Ruling,
  refuse: (letterId: string, ruling?: Ruling) => WaybillError,
): Ruled {
  const ruling = 'unreadable' in letter ? undefined : rule(letter);
  if (!ruling?.allowed || !letter.write) {
    const { code, field = 'NOT_A_WRITE', message } = refuse(letter.id, ruling);
    return { refused: { code, field, message } };
  }
  const { advice } = ruling;
  return {
    ...('doubleAccepted' in ruling && { doubleAccepted: ruling.doubleAccepted }),
    ...(advice !== undefined && { advice }),
  };
}

const plain = (verb: 'discard' | 'restore', from: LetterState, act: typeof discard): LetterAct => ({
  verb,
  from,
  how: () => '',
  rule: () => ({}),
  async perform(reader, destination, letter, operator) {
    const { jobId } = await act(reader, destination, letter, operator);
    return { jobId };
  },
});

export const DISCARDING = plain('discard', 'open', discard);
export const RESTORING = plain('restore', 'discarded', restore);

/**
 * `replayed by ann at …: the template is fixed`, and what else is known of it: that the write was edited, the operation
 * that it was an item of. No character of it is checked for a terminal.
 */
export const actInWords = ({ act, by, at, reason, edited, operation }: Act): string =>
  `${edited ? 'edited and ' : ''}${DONE[act]} by ${by} at ${isoTime(at)}: ${reason}${operation === undefined ? '' : ` (operation ${operation})`}`;
