// Garbage that a plain BullMQ producer may put into a queue of ours.
import type { JobsOptions } from 'bullmq';
import type { Chance } from '../chance.ts';
import { drawInput } from './inputs.ts';

/** A job of a plain BullMQ producer. `text` stands in the place of its data, as no producer would write it. */
export interface RawJob {
  name: string;
  data: unknown;
  opts: JobsOptions;
  text?: string;
  /** Overwrites fields that BullMQ keeps. */
  fields?: Record<string, string>;
}

const GARBAGE = [
  '',
  'null',
  '{',
  '[1',
  '"x',
  '\0\u0001',
  'undefined',
  '{"__proto__":{"polluted":1}}',
  '['.repeat(30_000),
  '\ufffd',
  '5',
  '""',
  '{"method":"POST","path":"/ok/1","idempotencyKey":5}',
];

export function drawRaw(random: Chance, serial: number): RawJob {
  const { data } = drawInput(random, serial);
  // JSON.stringify is BullMQ's, which throws for what has no JSON.
  const value: unknown = isJson(data) ? data : random.pick([null, 5, 'text', [], { method: 'POST' }]);
  const valid = { method: 'POST', path: `/ok/${serial}`, body: { n: serial } };
  return {
    name: random.pick(['send', 'other', '__proto__', '', '\u001b[2J']),
    data: random.next() < 0.4 ? valid : value,
    opts: {
      ...(random.next() < 0.3 && { attempts: random.pick([0, 1, 1000, -1, 1e9]) }),
      ...(random.next() < 0.3 && { removeOnComplete: true, removeOnFail: true }),
      ...(random.next() < 0.2 && { priority: random.between(1, 5) }),
      ...(random.next() < 0.1 && { lifo: true }),
      ...(random.next() < 0.2 && { backoff: random.pick([{ type: 'fixed', delay: 1 }, { type: 'no-such' }, 5]) }),
      ...(random.next() < 0.3 && {
        jobId: `${random.pick(['x', '__proto__', '..', '\u00e4', '{', ' ', '*'])}${serial}r`,
      }),
    },
    ...(random.next() < 0.15 && { text: random.pick(GARBAGE) }),
    ...(random.next() < 0.1 && {
      fields: {
        [random.pick(['progress', 'opts', 'ats', 'atm', 'timestamp', 'stc', 'priority', 'delay', 'wbh', 'wbl', 'wbo'])]:
          random.pick([
            '-5',
            'NaN',
            '',
            '{',
            '[]',
            '99999999999999999999',
            '{"generation":-1}',
            '{"generation":0,"attempts":[{"evidence":"applied"}],"postponed":0,"lost":0}',
            'null',
          ]),
      },
    }),
  };
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}
