// A question that Redis refuses, to this user or at this version, is a finding of doctor and no end of it.
import type { Finding } from '../core/finding.ts';

const MAX_REFUSAL = 200;

/** @returns what Redis says when it refuses; @throws when it has gone */
export async function unlessRefused<T>(ask: () => Promise<T>): Promise<{ value: T } | { refused: string }> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return { refused: error.message };
    throw error;
  }
}

export const refusal = (check: string, subject: string, said: string, advice: string): Finding => ({
  check,
  subject,
  level: 'problem',
  found: `refused: ${said.slice(0, MAX_REFUSAL)}`,
  advice,
});
