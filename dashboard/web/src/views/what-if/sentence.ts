// What the other policy would have done, in one sentence and a second one for what it cannot change.
import type { WhatIf, WhatIfRequest } from '../../../../api/contract/what-if.ts';

import { counted as several, numberWords, percentWords } from '../../logic/number-words.ts';

type AskedPolicy = WhatIfRequest['policy'];

/** `60 s`, `1.5 s`, `10 min`, `2 h`: whole units where they are whole. */
export function shortWait(ms: number): string {
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms > 60_000 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

export function policyWords(policy: AskedPolicy): string {
  const parts: string[] = [];
  if (policy.maxAttempts !== undefined) parts.push(several(policy.maxAttempts, 'attempt', 'attempts'));
  if (policy.baseMs !== undefined) parts.push(`a ${shortWait(policy.baseMs)} base`);
  if (policy.capMs !== undefined) parts.push(`a ${shortWait(policy.capMs)} cap`);
  if (policy.jitter !== undefined) parts.push(`${percentWords(policy.jitter)} jitter`);
  if (parts.length === 0) return "Today's policy";
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)!}`;
}

/** "8 attempts and a 60 s cap would have saved 412 of these 430 dead letters, at 1,290 more calls." */
export function sentenceOf(policy: AskedPolicy, answer: WhatIf): string {
  const { examined, more, saved, extraCalls } = answer;
  if (examined === 0) return 'No dead letter matches, so there is nothing to reckon with.';
  const of = more
    ? `of the ${numberWords(examined)} dead letters looked at`
    : examined === 1
      ? 'of this 1 dead letter'
      : `of these ${numberWords(examined)} dead letters`;
  const savedWords = saved === 0 ? 'none' : numberWords(saved);
  const calls =
    extraCalls < 0 ? several(-extraCalls, 'call fewer', 'calls fewer') : several(extraCalls, 'more call', 'more calls');
  const said = `${policyWords(policy)} would have saved ${savedWords} ${of}, at ${calls}.`;
  return said.slice(0, 1).toUpperCase() + said.slice(1);
}

/** What no wait would have changed, and what the journals leave open. */
export function remainderOf({ examined, eligible, unknown, wouldHaveDied: died }: WhatIf): string[] {
  const said: string[] = [];
  const others = examined - eligible;
  if (others > 0)
    said.push(`${several(others, 'was', 'were')} not given up for lack of attempts: no retry policy changes that.`);
  if (unknown > 0)
    said.push(
      `Of ${numberWords(unknown)} the journals do not show whether the outage had ended: not counted as saved.`,
    );
  if (died && died.deliveries > 0)
    said.push(
      `But ${several(died.deliveries, 'delivered write', 'delivered writes')} of the ${numberWords(died.examined)} looked at took more attempts than that and would have died, at ${several(died.savedCalls, 'call fewer', 'calls fewer')}.`,
    );
  return said;
}
