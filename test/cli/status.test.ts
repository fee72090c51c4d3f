// status, on queues that hold everything at once.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { projected, statusTable } from '../../cli/status-table.ts';
import { discard } from '../../queue/operate.ts';
import { type DestinationStatus, status } from '../../queue/status.ts';
import { redisUrl } from '../support/redis.ts';
import { createWorld, planned, type World } from '../support/world.ts';
import { documents, emptyFolder, runCli } from './run-cli.ts';

const HOUR_MS = 3_600_000;

async function died(world: World): Promise<string> {
  const { data } = await world.queue.add('send', planned('400'));
  return (await world.until(data.idempotencyKey, 'dead')).letter?.id ?? '';
}

test('status tells who serves a destination, what stands where and since when, and what the tombstones weigh', async () => {
  const world = await createWorld();
  const worker = await world.startWorker();
  for (let i = 0; i < 3; i += 1) {
    const { data } = await world.queue.add('send', planned('ok'));
    await world.until(data.idempotencyKey, 'delivered');
  }
  await died(world);
  await discard(world.reader, world.name, await died(world), { by: 'ann', reason: 'x' });
  const retrying = await world.queue.add('send', planned('429:retry-after=60'));
  await world.until(retrying.data.idempotencyKey, 'retrying');
  await world.queue.add('send', planned('ok'), { delay: 600_000 });
  const served = await runCli(['status', '--destination', world.name]);
  expect(served).toMatchObject({ code: 0, stderr: '' });
  expect(served.stdout).toMatch(
    /^destination +workers +waiting +oldest +active +retrying +scheduled +delivered +dead +discarded +tombstones\n\S+ +1 +0 +- +0 +1 +1 +3 +1 +1 +\S+ KB\n$/,
  );

  await worker.stop(AbortSignal.timeout(2000));
  await world.queue.add('send', planned());
  const queue = new Queue(world.name, { connection: { url: redisUrl() }, prefix: `{waybill:${world.name}}` });
  onTestFinished(() => queue.close());
  await queue.pause();
  const cwd = await emptyFolder();
  const destinations = { [world.name]: { baseUrl: 'http://127.0.0.1:1', retention: { deadMax: 7 } } };
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify({ destinations }));
  const [json, wide] = await Promise.all([
    runCli(['status', '-o', 'ndjson', '--destination', world.name], { cwd }),
    runCli(['status', '--wide', '--destination', world.name], { cwd }),
  ]);
  expect(documents(json.stdout)).toEqual([
    {
      destination: world.name,
      workers: 0,
      paused: true,
      waiting: 1,
      oldestWaitingMs: expect.any(Number),
      active: 0,
      delayed: 2,
      scheduled: 1,
      retrying: 1,
      delayedLookedAt: 2,
      delivered: 3,
      dead: 1,
      oldestDeadMs: expect.any(Number),
      replayed: 0,
      discarded: 1,
      tombstoneBytes: expect.any(Number),
      deliveredLately: 3,
      deliveredLatelyMs: HOUR_MS,
      trimmedDead: 0,
      retention: {
        deliveredMs: 24 * HOUR_MS,
        deadMs: 90 * 24 * HOUR_MS,
        deadMax: 7,
        handledMs: 30 * 24 * HOUR_MS,
        auditMs: 365 * 24 * HOUR_MS,
      },
      tombstoneBytesProjected: expect.any(Number),
    },
  ]);
  expect(json.stderr).toBe(`${world.name}: no worker serves it. Is the name right, and does a worker run?\n`);
  expect(wide.stdout).toMatch(/^\S+ +none +1 +\d+ s +0 +1 +1 +3 .* +24 h +90 d or 7 +30 d +0 +paused$/m);
});

test('a user who may not ask for memory sees everything else', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { data } = await world.queue.add('send', planned('ok'));
  await world.until(data.idempotencyKey, 'delivered');
  const user = `reader-${world.name}`;
  await world.reader.client.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', '-memory');
  onTestFinished(() => void world.reader.client.call('ACL', 'DELUSER', user).catch(() => {}));
  const url = new URL(redisUrl());
  Object.assign(url, { username: user, password: 'secret' });
  const { code, stdout } = await runCli(['status', '--destination', world.name], { env: { REDIS_URL: url.href } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\S+ +1 +0 +- +0 +0 +1 +0 +0 +-$/m);
});

const row = (more: Partial<DestinationStatus>): DestinationStatus => ({
  destination: 'sms',
  workers: 2,
  paused: false,
  waiting: 0,
  active: 0,
  delayed: 0,
  scheduled: 0,
  retrying: 0,
  delayedLookedAt: 0,
  delivered: 0,
  dead: 0,
  replayed: 0,
  discarded: 0,
  deliveredLately: 0,
  deliveredLatelyMs: HOUR_MS,
  trimmedDead: 0,
  ...more,
});

const retention = { deliveredMs: 24 * HOUR_MS, deadMs: 1, deadMax: 1, handledMs: 1, auditMs: 1 };

test('the weight that is to come is that of a retention at the present rate', () => {
  const busy = row({ delivered: 1000, tombstoneBytes: 500_000, deliveredLately: 600 });
  expect(projected(busy, retention).tombstoneBytesProjected).toBe(600 * 24 * 500);
  // Kept for less than an hour, all that stand were delivered within that.
  const brief = { ...retention, deliveredMs: HOUR_MS / 6 };
  expect(projected(row({ ...busy, deliveredLately: 1000 }), brief).tombstoneBytesProjected).toBe(500_000);
  expect(projected(row({ delivered: 5 }), retention)).toEqual({ retention });
});

test('a table of usual numbers fits into 100 columns, and does not count what it has not looked at', () => {
  const rows = [
    row({
      destination: 'messages',
      waiting: 123_456,
      delivered: 1_234_567,
      dead: 321,
      tombstoneBytes: 5e8,
      oldestWaitingMs: 9e6,
    }),
  ];
  const lines = statusTable(rows, false, process.stdout).split('\n');
  expect(lines[0]).not.toContain('scheduled');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  expect(lines[1]).toMatch(/^messages +2 +123456 +2 h +0 +0 +1234567 +\S*321\S* +0 +477 MB$/);
  const many = [row({ delayed: 9000, delayedLookedAt: 5000, retrying: 4000 })];
  expect(statusTable(many, false, process.stdout)).toContain(' 4000 or more ');
});

test('of very many delayed writes only the first are looked at', async () => {
  const world = await createWorld();
  const writes = Array.from({ length: 5003 }, () => ({
    name: 'send' as const,
    data: planned(),
    opts: { delay: 600_000 },
  }));
  await world.queue.addBulk(writes);
  expect(await status(world.reader, world.name)).toMatchObject([
    { delayed: 5003, delayedLookedAt: 5000, scheduled: 5000, retrying: 0, workers: 0, tombstoneBytes: 0 },
  ]);
});
