// What a check of a setup finds: a fact, how good it is, and what to do about it.

export type Level = 'ok' | 'warning' | 'problem';

export interface Finding {
  /** Which check; the same words in every run. */
  check: string;
  /** Of what: a server's address, a destination. */
  subject: string;
  /** warning: works, but is less than is promised, or will not for long. problem: does not work. */
  level: Level;
  found: string;
  advice?: string;
}
