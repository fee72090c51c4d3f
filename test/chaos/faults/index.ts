// Every fault there is, in the order of the table.
import type { Fault } from '../fault.ts';
import { API_PROXY_FAULTS } from './api-proxy.ts';
import { clocks } from './clock.ts';
import { FAILOVERS } from './failover.ts';
import { keyLife } from './key-life.ts';
import { killOperators } from './kill-operator.ts';
import { killProducer } from './kill-producer.ts';
import { fuzz } from './fuzz.ts';
import { killSteps } from './kill-step.ts';
import { freezeWorker } from './freeze-worker.ts';
import { killRedises } from './kill-redis.ts';
import { killWorker } from './kill-worker.ts';
import { raceActs } from './race-acts.ts';
import { poison } from './poison.ts';
import { powerLosses } from './power-loss.ts';
import { REDIS_PROXY_FAULTS } from './redis-proxy.ts';
import { redisDamages } from './redis-damage.ts';
import { redisTroubles } from './redis-trouble.ts';
import { rollingRestarts } from './rolling-restarts.ts';
import { soak } from './soak.ts';
import { usualWorker, usualWorkerAtLetter } from './usual-worker.ts';

export const FAULTS: readonly Fault[] = [
  usualWorker,
  usualWorkerAtLetter,
  killWorker,
  ...killSteps,
  ...killOperators,
  killProducer,
  raceActs,
  poison,
  freezeWorker,
  keyLife,
  rollingRestarts,
  ...killRedises,
  ...powerLosses,
  ...redisTroubles,
  ...redisDamages,
  ...clocks,
  ...FAILOVERS,
  fuzz,
  ...REDIS_PROXY_FAULTS,
  ...API_PROXY_FAULTS,
  soak,
];
