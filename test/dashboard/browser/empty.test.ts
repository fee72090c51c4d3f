// What the page says where there is nothing to see.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateRedis } from '../../../dev/redis/start.ts';
import { sitDown } from '../../support/browser.ts';
import { openOffice } from '../../support/browser-office.ts';
import { createDashboardWorld } from '../../support/dashboard-world.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

test('where nothing ever died there is a first write to copy', async () => {
  // The other Redis holds what other tests left dead.
  const dir = await mkdtemp(join(tmpdir(), 'waybill-empty-'));
  const redis = await startPrivateRedis({ dir });
  onTestFinished(async () => {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const world = await createDashboardWorld({
    redis: { url: redis.url },
    destinations: { parcels: { baseUrl: 'https://api.parcels.test', auth: { header: 'x-api-key', env: 'API_KEY' } } },
  });
  const { page, go } = await sitDown(world, 'viewer');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await go('/');
  await page.getByRole('heading', { name: 'No dead letters yet' }).waitFor();
  const example = page.getByText(/^waybill enqueue parcels --path /);
  await page.getByRole('button', { name: 'Copy the example' }).click();
  await page.getByRole('status', { name: 'News' }).getByText('Copied: the example').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await example.textContent());
  await page.getByRole('link', { name: 'Letters' }).click();
  await page.getByRole('heading', { name: 'No open dead letters' }).waitFor();
  await page.getByRole('combobox', { name: 'Destination', exact: true }).selectOption('parcels');
  await page.getByRole('heading', { name: 'No open dead letters of parcels' }).waitFor();
  await page.getByRole('link', { name: 'Groups' }).click();
  await page.getByRole('heading', { name: 'No dead letters of parcels yet' }).waitFor();
  await page.getByRole('link', { name: 'Operations' }).click();
  await page.getByRole('heading', { name: 'No bulk operation yet' }).waitFor();
});

test('where no dead letter is open it says when the last one died, and leads to the handled ones', async () => {
  const office = await openOffice({ sms: {} });
  onTestFinished(() => office.close());
  const name = office.filler.names.sms ?? '';
  const [dead] = await office.filler.die('sms', [{ answers: [apiSays(404, 'NOT_FOUND')] }]);
  const answer = await office.world
    .as('operator')
    .post(`/api/dead-letters/${name}/${dead?.letter}/replay`, { reason: 'it is there now' });
  expect(answer.status, answer.text).toBe(200);
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  await page.getByRole('heading', { name: /^0 dead letters, the last one (?:just now|\d+ s ago)$/ }).waitFor();
  await page.getByRole('link', { name: 'Those that were replayed' }).click();
  await page.getByRole('checkbox', { name: `Select NOT_FOUND, ${dead?.letter}` }).waitFor();
  expect(new URL(page.url()).searchParams.get('state')).toBe('replayed');
});
