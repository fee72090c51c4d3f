// A Redis Cluster of real redis-server processes on loopback, made with CLUSTER commands alone; gone when the test ends.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { freePort } from './redis-ports.ts';
import { tlsArgs } from './redis-tls.ts';
import { eventually } from './world.ts';

const SLOTS = 16_384;
/** A node that is silent for this long has failed: long enough to be an outage, short enough for a test. */
const NODE_TIMEOUT_MS = 2000;
const SETTINGS = {
  'cluster-enabled': 'yes',
  'cluster-node-timeout': String(NODE_TIMEOUT_MS),
  // A node that stands alone has not learnt its address from another.
  'cluster-announce-ip': '127.0.0.1',
  'repl-diskless-sync-delay': '0',
};
const FORMING_LIMIT_MS = 20_000;

export interface ClusterNode extends PrivateRedis {
  readonly tlsPort: number | undefined;
  readonly id: string;
  /** For CONFIG, SHUTDOWN and the like; it goes to this node alone. */
  readonly admin: Redis;
}

export interface RedisCluster {
  readonly primaries: readonly ClusterNode[];
  readonly replicas: readonly ClusterNode[];
  /** `127.0.0.1:21001,127.0.0.1:21002,…`: the primaries. */
  readonly hosts: string;
  /** The index of the primary that holds the key, as the slots were dealt out. */
  primaryOf(key: string): Promise<number>;
  /** Moves the slot of a key, with all that is in it, to the primary of that index. Returns how many keys moved. */
  moveSlot(key: string, to: number): Promise<number>;
  stop(): Promise<void>;
}

/**
 * @param tls also on a port for TLS, which asks for a client's certificate
 * @param replicas 1 gives the first primary a replica, 2 the second one too, …
 */
export async function startCluster({
  primaries = 3,
  replicas = 0,
  tls = false,
}: { primaries?: number; replicas?: number; tls?: boolean } = {}): Promise<RedisCluster> {
  const started: ClusterNode[] = [];
  const dirs: string[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(
      started.map(async (node) => {
        node.admin.disconnect();
        await node.stop();
      }),
    );
    await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
  };
  try {
    const starting = await Promise.allSettled(
      Array.from({ length: primaries + replicas }, async () => {
        const dir = await mkdtemp(join(tmpdir(), 'waybill-test-cluster-'));
        dirs.push(dir);
        started.push(await startNode(dir, tls));
      }),
    );
    for (const start of starting) if (start.status === 'rejected') throw start.reason;
    const nodes = started.slice(0, primaries);
    await Promise.all(nodes.map((node, i) => dealSlots(node, i, primaries)));
    const [first, ...others] = started;
    for (const node of others) await first?.admin.cluster('MEET', '127.0.0.1', node.port);
    await eventually(async () => {
      for (const { admin } of started) {
        expect(await admin.cluster('INFO')).toContain(`cluster_known_nodes:${started.length}`);
      }
    }, FORMING_LIMIT_MS);
    const copies = started.slice(primaries);
    await Promise.all(copies.map(({ admin }, i) => admin.cluster('REPLICATE', nodes[i]?.id ?? '')));
    await eventually(async () => {
      for (const { admin } of started) expect(await admin.cluster('INFO')).toContain('cluster_state:ok');
      for (const { admin } of copies) expect(await admin.info('replication')).toContain('master_link_status:up');
    }, FORMING_LIMIT_MS);
    const slotOf = async (key: string): Promise<number> => (await first?.admin.cluster('KEYSLOT', key)) as number;
    const primaryOf = async (key: string): Promise<number> => Math.floor(((await slotOf(key)) * primaries) / SLOTS);
    return {
      primaries: nodes,
      replicas: copies,
      hosts: nodes.map(({ port, tlsPort }) => `127.0.0.1:${tlsPort ?? port}`).join(','),
      primaryOf,
      moveSlot: async (key, to) => {
        const [source, target] = [nodes[await primaryOf(key)], nodes[to]];
        return source && target ? moveSlot(await slotOf(key), source, target, nodes) : 0;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNode(dir: string, tls: boolean): Promise<ClusterNode> {
  const port = await freePort();
  const tlsPort = tls ? await freePort() : undefined;
  const server = await startPrivateRedis({
    dir,
    port,
    args: [
      ...Object.entries(SETTINGS).flatMap(([name, value]) => [`--${name}`, value]),
      ...(tlsPort === undefined ? [] : [...tlsArgs(tlsPort), '--tls-cluster', 'yes']),
    ],
  });
  const admin = new Redis(server.url);
  admin.on('error', () => {}); // it is killed by some tests
  return { ...server, tlsPort, admin, id: await admin.cluster('MYID') };
}

async function dealSlots({ admin }: ClusterNode, index: number, of: number): Promise<void> {
  const from = Math.ceil((index * SLOTS) / of);
  const to = Math.ceil(((index + 1) * SLOTS) / of);
  await admin.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, i) => from + i));
  // Each its own, or they would have to agree on who keeps which.
  await admin.cluster('SET-CONFIG-EPOCH', index + 1);
}

/** As `redis-cli --cluster reshard` does it. */
async function moveSlot(
  slot: number,
  source: ClusterNode,
  target: ClusterNode,
  all: readonly ClusterNode[],
): Promise<number> {
  await target.admin.cluster('SETSLOT', slot, 'IMPORTING', source.id);
  await source.admin.cluster('SETSLOT', slot, 'MIGRATING', target.id);
  let moved = 0;
  for (;;) {
    const keys = await source.admin.cluster('GETKEYSINSLOT', slot, 10);
    if (keys.length === 0) break;
    await source.admin.migrate('127.0.0.1', target.port, '', 0, 5000, 'KEYS', ...keys);
    moved += keys.length;
  }
  for (const { admin } of new Set([target, source, ...all])) await admin.cluster('SETSLOT', slot, 'NODE', target.id);
  return moved;
}
