// Verdicts and reasons in words, as the page says them everywhere. Pure.
import type { DeadReason } from '../../../../core/decide.ts';
import type { Verdict } from '../../../../core/verdict.ts';

export const VERDICT_WORDS: Record<Verdict, string> = {
  'applied-once': 'applied once',
  'not-applied': 'not applied',
  'in-doubt': 'in doubt',
};
export const VERDICT_MEANING: Record<Verdict, string> = {
  'applied-once': 'The API applied this write: to send it again under its key changes nothing.',
  'not-applied': 'The API did not apply this write: it is safe to send it again.',
  'in-doubt': 'The API may have applied this write. Under its own key it is safe to send it again while the key lives.',
};
export const REASON_WORDS: Record<DeadReason, string> = {
  rejected: 'rejected',
  exhausted: 'attempts exhausted',
  crashed: 'workers crashed',
  'too-late': 'too late',
  'key-expired': 'key expired',
  invalid: 'could not be sent',
};

/** @param reason as the API names it; one that is not known is said as it is */
export const reasonWords = (reason: string): string =>
  (REASON_WORDS as Record<string, string | undefined>)[reason] ?? reason;
