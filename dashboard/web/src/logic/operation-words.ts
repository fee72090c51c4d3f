// An operation in words: how far it is, what it does. Pure.
import type { Operation } from '../../../api/contract/operations.ts';
import { numberWords, percentWords } from './number-words.ts';

export const ACT_WORDS: Record<Operation['act'], string> = { replay: 'Replay', discard: 'Discard', restore: 'Restore' };
export const RESULT_WORDS = {
  pending: 'to come',
  done: 'done',
  refused: 'refused',
  handled: 'handled by somebody else',
  missing: 'gone',
  failed: 'failed',
} as const;
export type Result = keyof typeof RESULT_WORDS;
export const RESULTS = Object.keys(RESULT_WORDS) as Result[];

export const handledOf = ({ counts }: Pick<Operation, 'counts'>): number =>
  counts.done + counts.refused + counts.handled + counts.missing + counts.failed;

/** What is read out as it goes on. */
export function progressWords(operation: Pick<Operation, 'counts' | 'total' | 'state'>): string {
  const handled = handledOf(operation);
  const share = operation.total === 0 ? 1 : handled / operation.total;
  return `${numberWords(handled)} of ${numberWords(operation.total)} (${percentWords(share)}), ${operation.state}`;
}

export const isOver = ({ state }: Pick<Operation, 'state'>): boolean => state === 'done' || state === 'cancelled';

export const STATE_TONES = {
  preparing: 'plain',
  running: 'accent',
  paused: 'warn',
  cancelled: 'plain',
  done: 'good',
} as const satisfies Record<Operation['state'], string>;
