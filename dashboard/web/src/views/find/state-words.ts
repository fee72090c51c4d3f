// Where a write stands, in words and as the tone that it is shown in.
import type { FoundWrite } from '../../../../api/contract/audit.ts';
import { counted } from '../../logic/number-words.ts';

type StateTone = 'good' | 'bad' | 'accent' | 'plain';

export const STATE_WORDS: Record<FoundWrite['state'], { label: string; words: string; tone: StateTone }> = {
  scheduled: { label: 'Scheduled', words: 'It is to be sent later.', tone: 'plain' },
  waiting: { label: 'Waiting', words: 'It waits for a worker that is free.', tone: 'accent' },
  sending: { label: 'Sending', words: 'A worker is sending it now.', tone: 'accent' },
  retrying: { label: 'Retrying', words: 'The last attempt failed; it will be tried again.', tone: 'accent' },
  postponed: { label: 'Postponed', words: 'It was put off without spending an attempt.', tone: 'accent' },
  delivered: { label: 'Delivered', words: 'The API answered that it was done.', tone: 'good' },
  dead: { label: 'Dead', words: 'It was given up and is in dead-letter review.', tone: 'bad' },
  discarded: { label: 'Discarded', words: 'It was given up, and somebody put it aside.', tone: 'plain' },
  replaced: {
    label: 'Replaced',
    words: 'It was replayed under another key, which goes on as a write of its own.',
    tone: 'plain',
  },
};

/** It moves on by itself. */
export const isUnderWay = (state: string | undefined): boolean =>
  state !== undefined && ['scheduled', 'waiting', 'sending', 'retrying', 'postponed'].includes(state);

/** How far the search went, where it found nothing or may have missed something. */
export function scanWords(scanned: number, more: boolean): string | undefined {
  if (scanned === 0) return undefined;
  const writes = counted(scanned, 'delivered write was', 'delivered writes were');
  return more
    ? `For a request_id, the newest ${writes} gone through; there are older ones that were not.`
    : `For a request_id, all ${writes} gone through.`;
}
