// A producer in a process of its own, to be killed: notes in its book, which outlives it, what it means to add and what
// it was told is stored.
import { openSync, writeSync } from 'node:fs';
import { createQueue } from '../../producer/index.ts';
import { writeOf } from './load.ts';
import type { Plan } from './plans.ts';

export interface Errand {
  key: string;
  plan: Plan;
}

const { CHAOS_REDIS = '', CHAOS_DESTINATION = '', CHAOS_BOOK = '', CHAOS_AT_ONCE = '1' } = process.env;
const queue = createQueue(CHAOS_DESTINATION, { connection: { url: CHAOS_REDIS } });
const book = openSync(CHAOS_BOOK, 'a');
const note = (word: 'means' | 'stored', keys: readonly string[]): void =>
  void writeSync(book, keys.map((key) => `${word} ${key}\n`).join(''));

process.on('message', (errands: Errand[]) => void run(errands));
process.on('disconnect', () => process.exit(1));
process.send?.('ready');

async function run(errands: Errand[]): Promise<void> {
  const atOnce = Number(CHAOS_AT_ONCE);
  for (let from = 0; from < errands.length; from += atOnce) {
    const some = errands.slice(from, from + atOnce);
    note(
      'means',
      some.map(({ key }) => key),
    );
    const answers = await queue.addBulk(
      some.map(({ key, plan }) => ({ name: 'send' as const, data: writeOf(plan), opts: { idempotencyKey: key } })),
    );
    note(
      'stored',
      some.flatMap(({ key }, i) => {
        const answer = answers[i];
        return answer && 'job' in answer ? [key] : [];
      }),
    );
  }
}
