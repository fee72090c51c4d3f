// A failover behind a name or a proxy, as managed services do it: the address leads to another server, while connections
// to the old primary, now a replica, live on.
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { connect as connectTo, disconnect, WORKER_OPTIONS } from '../../queue/connection.ts';
import { createRedisWorld } from '../support/redis-world.ts';
import { freshDestination } from '../support/redis.ts';
import { eventually } from '../support/world.ts';

/** An outage may last on a busy machine. */
const LIMIT_MS = 90_000;

async function startServer(args: string[] = []) {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-test-demoted-'));
  const server = await startPrivateRedis({ dir, args: ['--repl-diskless-sync-delay', '0', ...args] });
  const admin = new Redis(server.url);
  onTestFinished(async () => {
    admin.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
  });
  return { port: server.port, admin };
}

/** New connections go to the port of the moment; those that stand stay where they are. */
async function startAddress(port: number) {
  const address = { leadsTo: port, port: 0 };
  const server = createServer((client) => {
    const upstream = connect(address.leadsTo, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => {}).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(address, { port: (server.address() as AddressInfo).port });
}

test(
  'connections to a primary that was demoted are left, and what was answered meanwhile is settled',
  { timeout: LIMIT_MS },
  async () => {
    const old = await startServer();
    const next = await startServer(['--replicaof', `127.0.0.1 ${old.port}`]);
    await eventually(async () => expect(await next.admin.info('replication')).toContain('master_link_status:up'));
    const address = await startAddress(old.port);
    const world = await createRedisWorld({ url: `redis://127.0.0.1:${address.port}` }, [freshDestination()], {
      latencyMs: 300,
    });
    await world.startWorker();
    const before = await world.keepAdding(10);
    // The one lets go once the other has all that it had, so that nothing is lost.
    await old.admin.failover('TO', '127.0.0.1', next.port);
    await eventually(async () => expect(await next.admin.info('replication')).toContain('role:master'));
    address.leadsTo = next.port;
    const after = await world.keepAdding(10);
    await world.untilAppliedOnce([...before.keys, ...after.keys]);
  },
);

test('a connection whose many commands a demoted primary refuses at once is left once, without a warning of Node', async () => {
  const { port, admin } = await startServer();
  await admin.replicaof('127.0.0.1', 1);
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const connection = connectTo(`redis://127.0.0.1:${port}`, WORKER_OPTIONS);
  onTestFinished(async () => {
    process.off('warning', note);
    await disconnect(connection);
  });
  const { client } = connection;
  let opened = 0;
  client.on('ready', () => (opened += 1));
  await eventually(() => expect(opened).toBe(1));
  const refused = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => client.set(`k${i}`, 'v')));
  expect(refused.every(({ status }) => status === 'rejected')).toBe(true);
  await eventually(() => expect(opened).toBe(2));
  expect(warnings).toEqual([]);
});
