// What a Redis server says of itself, for the rules that judge it. Nothing is written.
import type { Cluster, Redis } from 'ioredis';

export interface ServerFacts {
  /** host:port, for messages. */
  server: string;
  /** The fields of INFO. */
  info: Record<string, string>;
  /** Our clock less the server's. */
  clockDifferenceMs: number;
  /** Of CONFIG GET; missing where it was not asked, or may not be. */
  appendfsync?: string;
  /** How many replicas producers wait for; missing where they do not. */
  waitsFor?: number;
}

/** The server of a client, or the primaries of a Cluster. @param label names the one server */
export function serversOf(client: Redis | Cluster, label: string): { server: string; client: Redis }[] {
  if (!('nodes' in client)) return [{ server: label, client }];
  return client.nodes('master').map((node) => ({ server: `${node.options.host}:${node.options.port}`, client: node }));
}

/** @throws what Redis refuses with */
export async function readServer(client: Redis, server: string): Promise<ServerFacts> {
  return { server, info: parseInfo(await client.info()), clockDifferenceMs: await clockDifference(client) };
}

export function parseInfo(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(/\r?\n/)
      .filter((line) => /^\w+:/.test(line))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/** A round trip of this length says it well enough. */
const SHORT_TRIP_MS = 100;
const MAX_TRIPS = 3;

/** Our clock less the server's, ms, read at the middle of a short round trip: of a long one nobody knows its middle. */
export async function clockDifference(client: Redis): Promise<number> {
  let shortest = { tripMs: Infinity, differenceMs: 0 };
  for (let trips = 0; trips < MAX_TRIPS && shortest.tripMs > SHORT_TRIP_MS; trips += 1) {
    const began = performance.now();
    const [seconds, micros] = (await client.time()) as unknown as [string | number, string | number];
    const tripMs = performance.now() - began;
    if (tripMs >= shortest.tripMs) continue;
    const serverMs = Number(seconds) * 1000 + Number(micros) / 1000;
    shortest = { tripMs, differenceMs: Math.round(Date.now() - tripMs / 2 - serverMs) };
  }
  return shortest.differenceMs;
}
