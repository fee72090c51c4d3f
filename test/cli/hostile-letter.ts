// A dead letter as somebody who writes to Redis past Waybill could leave it: types promise nothing of it.
import type { Journal } from '../../core/journal.ts';
import type { FiledLetter } from '../../queue/dead-letters.ts';

/** Colours, clears the screen, and begins a line of its own. */
export const ESCAPE = '\u001b[31m\u009b2J\r\n';
const anything = ESCAPE as never;

export const hostileLetter = (journal: Journal): FiledLetter => ({
  id: ESCAPE,
  destination: ESCAPE,
  jobId: ESCAPE,
  deadAt: anything,
  enqueuedAt: 1,
  reason: anything,
  because: ESCAPE,
  verdict: anything,
  status: anything,
  envelope: { code: ESCAPE, message: ESCAPE, details: JSON.stringify({ field: ESCAPE }) },
  requestId: ESCAPE,
  lost: anything,
  journal,
  keyFirstSentAt: 1,
  keyExpiresAt: 2,
  write: {
    method: anything,
    path: ESCAPE,
    headers: { [ESCAPE]: ESCAPE },
    body: JSON.stringify({ [ESCAPE]: `${ESCAPE}\u202e` }),
    idempotencyKey: ESCAPE,
  },
  state: 'open',
  acts: [
    { act: 'restore', id: ESCAPE, at: 1, by: ESCAPE, reason: ESCAPE, letter: ESCAPE, jobId: ESCAPE, verdict: anything },
  ],
});
