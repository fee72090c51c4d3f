// Before a worker starts: can this Redis keep the promises (docs/redis.md)? One clear sentence for each that it cannot.
import { WaybillError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { Connection } from './connection.ts';
import { readServer, type ServerFacts, serversOf } from './server-facts.ts';
import { NEEDED } from './server-rules.ts';
import { answerWithin, unreachable } from './unavailable.ts';

const REACH_WITHIN_MS = 5000;

export interface Fitness {
  /** What works, but is less than is promised. */
  warnings: string[];
}

/**
 * @throws WaybillError QUEUE_UNAVAILABLE when Redis is not reached within 5 s, REDIS_UNFIT when it must not be used
 */
export async function checkFitness(connection: Connection): Promise<Fitness> {
  const { label, client } = connection;
  let servers: ServerFacts[];
  try {
    servers = await answerWithin(REACH_WITHIN_MS, connection, () =>
      Promise.all(serversOf(client, label).map((one) => readServer(one.client, one.server))),
    );
  } catch (error) {
    throw unreachable(label, error);
  }
  return { warnings: servers.flatMap(judge) };
}

/** The pure part. @returns warnings @throws WaybillError REDIS_UNFIT */
export function judge(facts: ServerFacts): string[] {
  const findings = NEEDED.map((rule) => rule(facts));
  const problem = findings.find(({ level }) => level === 'problem');
  if (problem) throw new WaybillError('REDIS_UNFIT', sentence(problem));
  return findings.filter(({ level }) => level === 'warning').map(sentence);
}

const sentence = ({ check, subject, found, advice = '' }: Finding): string =>
  `Redis at ${subject}: ${check}: ${found}. ${advice}`.trim();
