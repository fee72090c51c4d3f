// The API that all arms send to: one process, the same for all, which counts. Its count bounds every window.
import { asking } from './ask.ts';
import { endChild, startChild } from './process.ts';

const LIMIT_MS = 30_000;

export interface UpstreamLook {
  /** Requests answered since the last reset. */
  count: number;
  /** On the machine's monotonic clock, the same in all processes: process.hrtime. */
  atMs: number;
  cpuUs: number;
}

export interface Upstream {
  readonly url: string;
  look(): Promise<UpstreamLook>;
  /** @returns the look at that moment. Rejects after limitMs, naming how far it came. */
  reached(count: number, limitMs: number): Promise<UpstreamLook>;
  /**
   * Answers nobody until release().
   * @returns the look once `held` requests wait; rejects after limitMs. All slots of a worker are in flight then, and
   *   it has nothing else to do: what is counted between two such moments is exact
   */
  hold(held: number, limitMs: number): Promise<UpstreamLook>;
  release(): Promise<void>;
  /** Counts anew. @param status of every answer from now on: 201 when left out */
  reset(status?: number): Promise<void>;
  /** When the request whose path ends with `?n=…` was answered, by that number; NaN for those that never came. On the same clock, ms. */
  answeredAt(numbers: number): Promise<number[]>;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  const child = startChild('bench/kernel/upstream-process.ts');
  const ask = asking(child, 'the upstream');
  try {
    const port = await ask<number>('listen', [], LIMIT_MS);
    return {
      url: `http://127.0.0.1:${port}`,
      look: () => ask('look', [], LIMIT_MS),
      reached: (count, limitMs) => ask('reached', [count, limitMs], limitMs + LIMIT_MS),
      hold: (held, limitMs) => ask('hold', [held, limitMs], limitMs + LIMIT_MS),
      release: () => ask('release', [], LIMIT_MS),
      reset: (status = 201) => ask('reset', [status], LIMIT_MS),
      answeredAt: async (numbers) =>
        (await ask<(number | null)[]>('answeredAt', [numbers], LIMIT_MS)).map((at) => at ?? NaN),
      stop: () => endChild(child),
    };
  } catch (error) {
    await endChild(child);
    throw error;
  }
}
