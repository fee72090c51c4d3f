// Questions before something that cannot be taken back. They are asked on a terminal alone: a script says --yes, and
// nothing ever waits for an answer that nobody can give.
import type { CommonOptions } from '@clack/prompts';
import { CliError } from './exit-codes.ts';
import type { Io } from './io.ts';

type Asking = Pick<Io, 'stdin' | 'stderr'>;

/**
 * @param yes the answer where it was given as a flag
 * @returns false for No
 * @throws CliError USAGE without a terminal · CANCELLED at Ctrl-C, Ctrl-D or Esc
 */
export async function confirm(io: Asking, question: string, { yes }: { yes: boolean }): Promise<boolean> {
  if (yes) return true;
  refuseWithoutTerminal(io, question);
  return ask(io, (clack, common) => clack.confirm({ ...common, message: question, initialValue: false }));
}

/**
 * For what is worth more than a key: asks until `expected` is typed.
 * @throws CliError USAGE without a terminal · CANCELLED at Ctrl-C, Ctrl-D or Esc
 */
export async function askText(
  io: Asking,
  question: string,
  { yes, expected }: { yes: boolean; expected: string },
): Promise<void> {
  if (yes) return;
  refuseWithoutTerminal(io, question);
  const validate = (typed: string | undefined): string | undefined =>
    typed?.trim() === expected ? undefined : `Type ${expected}, or press Ctrl-C to leave it.`;
  await ask(io, (clack, common) => clack.text({ ...common, message: question, validate }));
}

function refuseWithoutTerminal(io: Asking, question: string): void {
  if (io.stdin.isTTY && io.stderr.isTTY) return;
  throw new CliError('USAGE', `${question} There is no terminal to ask on: pass --yes`);
}

type Clack = typeof import('@clack/prompts');

async function ask<T>(
  io: Asking,
  prompt: (clack: Clack, common: CommonOptions) => Promise<T>,
): Promise<Exclude<T, symbol>> {
  const clack = await import('@clack/prompts');
  // Ctrl-D ends clack's reader without an answer, and its promise would never settle.
  clack.updateSettings({ aliases: { '\u0004': 'cancel' } });
  const gone = new AbortController();
  const end = (): void => gone.abort();
  io.stdin.once('end', end);
  try {
    const answer = await prompt(clack, { input: io.stdin, output: io.stderr, signal: gone.signal });
    if (clack.isCancel(answer)) throw new CliError('CANCELLED', 'nothing was done');
    return answer as Exclude<T, symbol>;
  } finally {
    io.stdin.off('end', end);
  }
}
