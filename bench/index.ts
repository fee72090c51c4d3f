// Every benchmark, in the order of docs/performance.md.
import { deadLetters } from './dead-letters.ts';
import { adding } from './adding.ts';
import { beside } from './beside.ts';
import { deliveries } from './deliveries.ts';
import { destinations } from './destinations.ts';
import { filing } from './filing.ts';
import { failing } from './failing.ts';
import { growth } from './growth.ts';
import type { Bench } from './kernel/bench.ts';
import { latency } from './latency.ts';
import { parts } from './parts.ts';
import { redisMemory } from './redis-memory.ts';
import { starting } from './starting.ts';

export const BENCHES: readonly Bench[] = [
  deliveries,
  parts,
  latency,
  destinations,
  deadLetters,
  filing,
  adding,
  failing,
  beside,
  growth,
  redisMemory,
  starting,
];
