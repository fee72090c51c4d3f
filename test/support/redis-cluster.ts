// A Redis Cluster of real redis-server processes on loopback, made with CLUSTER commands alone; gone when it is
// stopped. It knows no test runner: campaigns use it too.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { until } from '../chaos/until.ts';
import { type PrivateRedis, startPrivateRedis } from '../../dev/redis/start.ts';
import { freePort } from './redis-ports.ts';
import { tlsArgs } from './redis-tls.ts';

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
  /** Holds every file of theirs. */
  readonly folder: string;
  /** `127.0.0.1:21001,127.0.0.1:21002,…`: the primaries. */
  readonly hosts: string;
  /** The index of the primary that holds the key, as the slots were dealt out. */
  primaryOf(key: string): Promise<number>;
  /** Moves the slot of a key, with all that is in it, to the primary of that index. Returns how many keys moved. */
  moveSlot(key: string, to: number): Promise<number>;
  /** Starts a node that was killed, on its port: it knows its place by its own file, and learns from the others if that was taken. */
  restart(node: ClusterNode): Promise<ClusterNode>;
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
  const folder = await mkdtemp(join(tmpdir(), 'waybill-test-cluster-'));
  const dirs = new Map<number, string>();
  const stop = async (): Promise<void> => {
    await Promise.all(
      started.map(async (node) => {
        node.admin.disconnect();
        await node.stop();
      }),
    );
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const starting = await Promise.allSettled(
      Array.from({ length: primaries + replicas }, async (_, i) => {
        const dir = join(folder, `node-${i}`);
        const node = await startNode(dir, tls);
        dirs.set(node.port, dir);
        started.push(node);
      }),
    );
    for (const start of starting) if (start.status === 'rejected') throw start.reason;
    const nodes = started.slice(0, primaries);
    await Promise.all(nodes.map((node, i) => dealSlots(node, i, primaries)));
    const [first, ...others] = started;
    for (const node of others) await first?.admin.cluster('MEET', '127.0.0.1', node.port);
    const everySays = (text: string) => async (): Promise<boolean> =>
      (await Promise.all(started.map(({ admin }) => admin.cluster('INFO')))).every((info) => info.includes(text));
    await until('the nodes know each other', everySays(`cluster_known_nodes:${started.length}`), FORMING_LIMIT_MS);
    const copies = started.slice(primaries);
    await Promise.all(copies.map(({ admin }, i) => admin.cluster('REPLICATE', nodes[i]?.id ?? '')));
    await until('the Cluster is up', everySays('cluster_state:ok'), FORMING_LIMIT_MS);
    for (const copy of copies) await until('a replica has caught up', () => isLinked(copy), FORMING_LIMIT_MS);
    const slotOf = async (key: string): Promise<number> => (await first?.admin.cluster('KEYSLOT', key)) as number;
    const primaryOf = async (key: string): Promise<number> => Math.floor(((await slotOf(key)) * primaries) / SLOTS);
    return {
      primaries: nodes,
      replicas: copies,
      folder,
      hosts: nodes.map(({ port, tlsPort }) => `127.0.0.1:${tlsPort ?? port}`).join(','),
      primaryOf,
      moveSlot: async (key, to) => {
        const [source, target] = [nodes[await primaryOf(key)], nodes[to]];
        return source && target ? moveSlot(await slotOf(key), source, target, nodes) : 0;
      },
      restart: async ({ port, admin }) => {
        admin.disconnect();
        const node = await startNode(dirs.get(port) ?? join(folder, String(port)), tls, port);
        started.push(node);
        return node;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** It is a replica that has what its primary has, but for what is on the way. */
export const isLinked = async ({ admin }: ClusterNode): Promise<boolean> =>
  (await admin.info('replication')).includes('master_link_status:up');

async function startNode(dir: string, tls: boolean, at?: number): Promise<ClusterNode> {
  const port = at ?? (await freePort());
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
  return { ...server, tlsPort, admin, id: await idOf(admin) };
}

/** One that was a primary loads what its new primary has sent it, and answers nothing meanwhile. */
async function idOf(admin: Redis): Promise<string> {
  for (const end = performance.now() + FORMING_LIMIT_MS; ; await sleep(50)) {
    try {
      return await admin.cluster('MYID');
    } catch (error) {
      if (!String(error).includes('LOADING') || performance.now() > end) throw error;
    }
  }
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
