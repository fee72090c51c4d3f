// Redis goes away under somebody's hands, and comes back.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type PrivateRedis, startPrivateRedis } from '../../../dev/redis/start.ts';
import { Reader } from '../../../queue/reader.ts';
import { sitDown } from '../../support/browser.ts';
import { idsOf, lists, says, shown } from '../../support/browser-office.ts';
import { createDashboardWorld, TOKENS_ENV } from '../../support/dashboard-world.ts';
import { fillLetters } from '../../support/fast-letters.ts';
import { createRedisWorld } from '../../support/redis-world.ts';
import { API_KEY, planned } from '../../support/world.ts';

/** @returns what starts it, also for a second time: on the same port, over what it had */
async function redisOfItsOwn(): Promise<() => Promise<PrivateRedis>> {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-restart-'));
  let redis: PrivateRedis | undefined;
  onTestFinished(async () => {
    await redis?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return async () =>
    (redis = await startPrivateRedis({ dir, ...(redis && { port: redis.port }), appendFsync: 'always' }));
}

test('while Redis is away the page says so and keeps what it shows; when it is back it goes on without being loaded again', async () => {
  const start = await redisOfItsOwn();
  const redis = await start();
  const reader = await Reader.open(redis.url);
  const letters = await fillLetters(reader, 'parcels', 3);
  await reader.close();
  const world = await createDashboardWorld({
    redis: { url: redis.url },
    destinations: { parcels: { baseUrl: 'https://api.parcels.test', auth: { header: 'x-api-key', env: 'API_KEY' } } },
  });
  const { page, go } = await sitDown(world, 'operator');
  await go('/letters');
  await lists(page, letters);
  const order = await idsOf(page);

  await redis.stop();
  await page.getByRole('link', { name: 'Oldest first' }).click();
  const alert = page.getByRole('alert').first();
  await alert.getByRole('button', { name: 'Copy request_id of the error' }).waitFor();
  await page.getByRole('button', { name: 'Live updates: no redis' }).waitFor();
  await says(page.getByRole('banner'), /^Redis does not answer/);
  expect(await idsOf(page)).toEqual(order);
  expect((await world.ask('/')).status).toBe(200);

  await start();
  await shown(async () => {
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await idsOf(page)).toEqual(order.toReversed());
  });
  await page.getByRole('button', { name: 'Live updates: live' }).waitFor();
  await page.getByRole('checkbox', { name: 'Select this page' }).click();
  await page.getByRole('button', { name: 'Discard…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('Redis is back');
  await dialog.getByRole('button', { name: 'Discard 3' }).click();
  await page.getByRole('heading', { level: 1 }).getByText('done', { exact: true }).waitFor();
});

test('a letter that somebody is about to replay stays while Redis is away, with what he typed; when it is back the same press sends it', async () => {
  const start = await redisOfItsOwn();
  const redis = await start();
  const parcels = await createRedisWorld({ url: redis.url }, ['parcels']);
  await parcels.startWorker();
  const added = await parcels.queues[0]?.add('send', planned('422'));
  const key = added?.data.idempotencyKey ?? '';
  await parcels.until([key], 'dead');
  const world = await createDashboardWorld(parcels.config, { env: { ...TOKENS_ENV, API_KEY } });
  const { page, go } = await sitDown(world, 'operator');
  await go(`/letters/parcels/${added?.id}.g0`);
  await page.getByRole('button', { name: 'Live updates: live' }).waitFor();
  await page.getByRole('button', { name: 'Replay…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Replay this write' });
  const replay = dialog.getByRole('button', { name: 'Replay', exact: true });
  await dialog.getByRole('radio', { name: /^A new key/ }).check();
  await dialog.getByLabel('Reason').fill('the number is mended');

  await redis.stop();
  await replay.click();
  const alert = dialog.getByRole('alert');
  await says(alert, 'QUEUE_UNAVAILABLE');
  await says(alert, /^request_id [\w-]+/);
  await page.getByRole('button', { name: 'Live updates: no redis', includeHidden: true }).waitFor();
  expect(await dialog.getByLabel('Reason').inputValue()).toBe('the number is mended');

  await start();
  await page.getByRole('button', { name: 'Live updates: live', includeHidden: true }).waitFor();
  await replay.click();
  await dialog.waitFor({ state: 'hidden' });
  await says(page, /^otto replayed it under a new key$/);
  // To the sandbox it is another write, with the same plan.
  const lineage = page.getByRole('region', { name: 'Lineage' });
  await lineage.getByRole('link').click();
  await page.getByRole('article', { name: /^Dead: POST / }).waitFor();
});
