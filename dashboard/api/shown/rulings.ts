// What the rules say to a replay of a dead letter, now: under its own key, and under a new one.
import type { ReplayRefusal } from '../../../core/replay.ts';
import type { FiledLetter, UnreadableLetter } from '../../../queue/dead-letters.ts';
import { ruleOnReplay } from '../../../queue/operate.ts';
import type { Ruling } from '../contract/letters.ts';

export interface Rulings {
  same: Ruling;
  new: Ruling;
}

/** In the page's terms: the terminal has its flags. */
const WHAT_TO_DO: Record<ReplayRefusal, string> = {
  NOT_A_WRITE: 'Discard it.',
  TOO_LATE: 'Send it past its expiry all the same, or discard it.',
  KEY_ENDING: 'Take a new key; where a time is told, the same key is free again then.',
  KEY_EXPIRED: 'Ask the API whether it has the write; accept that it may be applied twice, or discard it.',
  IN_DOUBT: 'Replay it under its own key, which cannot apply it twice; or accept that it may be applied twice.',
  APPLIED: 'Discard it; or accept that it may be applied twice.',
};
const DOUBLES: readonly ReplayRefusal[] = ['KEY_EXPIRED', 'IN_DOUBT', 'APPLIED'];

/** @param now epoch ms */
export function rulingsOf(letter: FiledLetter | UnreadableLetter, now: number): Rulings {
  if (letter.state !== 'open') return both('HANDLED', `it is ${letter.state} already`);
  if ('unreadable' in letter) return both('NOT_A_WRITE', 'what stands there is no write', WHAT_TO_DO.NOT_A_WRITE);
  return { same: rule(letter, {}, now), new: rule(letter, { newKey: true }, now) };
}

function both(refusal: string, because: string, advice?: string): Rulings {
  const no = { allowed: false, refusal, because, needsAcceptDouble: false, needsIgnoreExpiry: false };
  const ruling = advice === undefined ? no : { ...no, advice };
  return { same: ruling, new: ruling };
}

function rule(letter: FiledLetter, key: { newKey?: true }, now: number): Ruling {
  const plain = ruleOnReplay(letter, key, now);
  const past = ruleOnReplay(letter, { ...key, ignoreExpiry: true }, now);
  const needs = {
    needsAcceptDouble: !past.allowed && DOUBLES.includes(past.refusal),
    needsIgnoreExpiry: !plain.allowed && plain.refusal === 'TOO_LATE',
  };
  if (plain.allowed) return { allowed: true, ...needs, ...(plain.advice !== undefined && { advice: plain.advice }) };
  const { refusal, because } = plain;
  return { allowed: false, refusal, because, advice: WHAT_TO_DO[refusal], ...needs };
}
