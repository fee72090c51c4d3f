// A: undici's dispatch and no queue, the least that an attempt can cost.
import { Pool } from 'undici';
import type { Task } from '../kernel/bench.ts';
import { dispatch, sendOf } from './send.ts';

export function work({ upstreamUrl, concurrency, count }: Task): void {
  const pool = new Pool(upstreamUrl, { connections: concurrency, pipelining: 1 });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await dispatch(pool, sendOf(next++));
  };
  for (let i = 0; i < concurrency; i++) void lane();
}
