// The end of the story: what Waybill says of each write, held against what the sandbox really did.
import type { Verdict } from '../../core/verdict.ts';
import type { Sandbox } from '../sandbox/server.ts';
import type { Told } from './story.ts';

const CLAIMS: Record<Verdict, { holds: (applications: number) => boolean; said: string }> = {
  'applied-once': { holds: (applications) => applications === 1, said: 'each applied exactly once' },
  'not-applied': { holds: (applications) => applications === 0, said: 'none applied' },
  'in-doubt': {
    holds: (applications) => applications <= 1,
    said: 'none applied twice; without a ledger only a person can find out',
  },
};

/** @returns the lines, and the numbers of the writes whose verdict the ledger contradicts */
export function summarize(
  told: readonly Told[],
  sandbox: Pick<Sandbox, 'entry'>,
): { lines: string[]; wrong: number[] } {
  const states = (state: string): number => told.filter(({ found }) => found?.state === state).length;
  const lines = [
    `${told.length} writes: ${states('delivered')} delivered, ${states('dead')} dead. What Waybill says, and what the API's own ledger says:`,
  ];
  const wrong: number[] = [];
  for (const [verdict, { holds, said }] of Object.entries(CLAIMS)) {
    const claimed = told.filter(({ found }) => found?.verdict === verdict);
    const contradicted = claimed.filter(({ key }) => !holds(sandbox.entry(key)?.applications ?? 0));
    wrong.push(...contradicted.map(({ number }) => number));
    const proof =
      contradicted.length === 0 ? said : `MISMATCH at ${contradicted.map(({ number }) => `#${number}`).join(', ')}`;
    if (claimed.length > 0) lines.push(`  ${verdict.padEnd(13)} ${String(claimed.length).padStart(2)}   ${proof}`);
  }
  return { lines, wrong };
}
