// What a person has chosen for a replay, and what is still wanting before it can be sent. Pure.
import { ACCEPT_DOUBLE_PHRASE } from '../../../../../core/bulk.ts';
import type { ReplayRequestBody, Ruling } from '../../../../api/contract/letters.ts';

export interface ReplayChoice {
  key: 'same' | 'new';
  newKey: string;
  reason: string;
  phrase: string;
  ignoreExpiry: boolean;
}

/** The key that is safe by itself: the write's own, where the rules let it be used. */
export function firstChoice(rulings: { same: Ruling; new: Ruling }): 'same' | 'new' {
  if (rulings.same.allowed) return 'same';
  return rulings.new.allowed ? 'new' : 'same';
}

/** A person can lift the refusal by what he types or ticks. */
export const canBeLifted = (ruling: Ruling): boolean =>
  ruling.allowed || ruling.needsAcceptDouble || ruling.needsIgnoreExpiry;

/** The first thing that is wanting, in words; `undefined` when it can be sent. */
export function wanting(ruling: Ruling, choice: ReplayChoice): string | undefined {
  if (!canBeLifted(ruling)) return `Refused: ${ruling.because ?? 'the rules do not allow it'}.`;
  if (ruling.needsIgnoreExpiry && !choice.ignoreExpiry) return 'Its own expiry has passed: that must be ticked.';
  if (ruling.needsAcceptDouble && choice.phrase.trim() !== ACCEPT_DOUBLE_PHRASE) return `Type: ${ACCEPT_DOUBLE_PHRASE}`;
  if (choice.key === 'new' && choice.newKey === '') return 'A new key is wanting.';
  if (choice.reason.trim() === '') return 'Say why: it stands in the audit.';
  return undefined;
}

export function requestOf(ruling: Ruling, choice: ReplayChoice, edit?: ReplayRequestBody['edit']): ReplayRequestBody {
  return {
    reason: choice.reason.trim(),
    ...(choice.key === 'new' && { newKey: choice.newKey }),
    ...(ruling.needsAcceptDouble && { acceptDouble: ACCEPT_DOUBLE_PHRASE }),
    ...(ruling.needsIgnoreExpiry && { ignoreExpiry: true }),
    ...(edit && { edit }),
  };
}
