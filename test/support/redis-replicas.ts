// A primary and replicas of its own, real processes on loopback; gone when the test ends.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { eventually } from './world.ts';

const FORMING_LIMIT_MS = 20_000;

export interface Replica extends PrivateRedis {
  /** What it has is read here. */
  readonly client: Redis;
  /** SIGSTOP: its connection stays, and it acknowledges nothing. */
  halt(): void;
  resume(): void;
}

export interface Replicated {
  readonly primary: PrivateRedis;
  readonly replicas: readonly Replica[];
  /** The way by which they follow the primary. */
  readonly link: FaultProxy;
  stop(): Promise<void>;
}

export async function startReplicated(count = 1): Promise<Replicated> {
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
  };
  const start = async (...args: string[]): Promise<PrivateRedis> => {
    const dir = await mkdtemp(join(tmpdir(), 'waybill-test-replicated-'));
    ends.push(() => rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
    const server = await startPrivateRedis({ dir, args: ['--repl-diskless-sync-delay', '0', ...args] });
    ends.push(() => server.stop());
    return server;
  };
  try {
    const primary = await start();
    const link = await startProxy({ host: '127.0.0.1', port: primary.port });
    ends.push(() => link.close());
    const replicas: Replica[] = [];
    for (let i = 0; i < count; i += 1) {
      const server = await start('--replicaof', `127.0.0.1 ${link.port}`);
      const client = new Redis(server.url);
      client.on('error', () => {});
      const resume = (): void => void process.kill(server.pid, 'SIGCONT');
      ends.push(async () => {
        resume();
        client.disconnect();
      });
      replicas.push({ ...server, client, resume, halt: () => void process.kill(server.pid, 'SIGSTOP') });
      await eventually(async () => {
        expect(await client.info('replication')).toContain('master_link_status:up');
      }, FORMING_LIMIT_MS);
    }
    return { primary, replicas, link, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
