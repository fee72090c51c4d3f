// Redis goes away under somebody's hands, and comes back.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../../dev/redis/start.ts';
import { Reader } from '../../../queue/reader.ts';
import { sitDown } from '../../support/browser.ts';
import { idsOf, lists, says, shown } from '../../support/browser-office.ts';
import { createDashboardWorld } from '../../support/dashboard-world.ts';
import { fillLetters } from '../../support/fast-letters.ts';

test('while Redis is away the page says so and keeps what it shows; when it is back it goes on without being loaded again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'waybill-restart-'));
  let redis = await startPrivateRedis({ dir, appendFsync: 'always' });
  onTestFinished(async () => {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  });
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

  redis = await startPrivateRedis({ dir, port: redis.port, appendFsync: 'always' });
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
