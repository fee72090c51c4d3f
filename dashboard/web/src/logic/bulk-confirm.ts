// What a person still has to give before a bulk operation is created. Pure; the server checks the same.
import { MAX_RATE, MIN_RATE } from '../../../../core/bulk.ts';
import type { Plan } from '../../../api/contract/operations.ts';

export interface Typed {
  reason: string;
  count: string;
  phrase: string;
  rate: string;
  stopPercent: string;
}

export type Missing = Partial<Record<keyof Typed, string>>;

const within = (text: string, min: number, max: number): boolean =>
  text.trim() !== '' && Number(text) >= min && Number(text) <= max;

export function missingIn(typed: Typed, plan: Pick<Plan, 'confirm' | 'act'>): Missing {
  const { count, phrase } = plan.confirm;
  return {
    ...(typed.reason.trim() === '' && { reason: 'Say why: it stands in the audit' }),
    ...(count !== undefined && digitsOf(typed.count) !== String(count) && { count: `Type ${count}` }),
    ...(phrase !== undefined && typed.phrase.trim() !== phrase && { phrase: `Type the words: ${phrase}` }),
    ...(!within(typed.rate, MIN_RATE, MAX_RATE) && { rate: `From ${MIN_RATE} to ${MAX_RATE}` }),
    ...(plan.act === 'replay' && !within(typed.stopPercent, 0, 100) && { stopPercent: 'From 0 to 100' }),
  };
}

/** `1,234` and `1 234` are typed as well as 1234. */
const digitsOf = (text: string): string => text.replaceAll(/[\s,.'_]/g, '');
