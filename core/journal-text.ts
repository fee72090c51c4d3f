// An attempt's answer as a person reads it: the same words wherever a journal is shown.
import { MAX_CODE, printable } from './envelope.ts';
import type { Attempt } from './journal.ts';

/** `503 SERVICE_UNAVAILABLE`, `no answer (ECONNRESET)`, `nothing was sent (ECONNREFUSED)`. No character of it is obeyed by a terminal. */
export function answerOf({
  outcome,
  status,
  code,
  replayed,
}: Pick<Attempt, 'outcome' | 'status' | 'code' | 'replayed'>): string {
  const said = printable(code ?? '', MAX_CODE);
  const answers: Record<Attempt['outcome'], string> = {
    response: [printable(String(status), MAX_CODE), said, replayed ? '(the stored answer)' : '']
      .filter(Boolean)
      .join(' '),
    'no-answer': `no answer (${said})`,
    'not-sent': `nothing was sent (${said})`,
    blocked: `refused by us (${said || 'before sending'})`,
  };
  return answers[outcome];
}
