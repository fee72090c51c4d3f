// Each destination at a glance: its figures, in charts and in words, and the hold that an admin puts on it.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, fact, lists, openOffice, says, shown } from '../../support/browser-office.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

const DELIVERED = 4;
let office: BrowserOffice;
let name: string;
let letters: string[];
beforeAll(async () => {
  office = await openOffice({ sms: { retry: { baseMs: 5, capMs: 5 } }, quiet: {} });
  name = office.filler.names.sms ?? '';
  const dead = await office.filler.die(
    'sms',
    Array.from({ length: 3 }, () => ({ answers: [apiSays(409, 'NAME_TAKEN')] })),
  );
  letters = dead.map(({ letter }) => letter);
  for (let i = 0; i < DELIVERED; i += 1) await add(i === 0);
  await shown(async () => expect(await minutes()).toEqual({ delivered: DELIVERED, retried: 1, dead: 3 }));
});
afterAll(() => office?.close());

/** @param fails at first */
async function add(fails = false): Promise<string> {
  const key = crypto.randomUUID();
  office.filler.plan(key, fails ? [apiSays(503, 'UNAVAILABLE')] : []);
  await office.filler.queues.sms?.add('send', { method: 'POST', path: '/v1/x', body: {}, idempotencyKey: key });
  return key;
}
type Sums = Record<'delivered' | 'retried' | 'dead', number>;
async function minutes(): Promise<Sums> {
  const { body } = await office.world.as('viewer').get('/api/overview');
  const { destinations } = body as { destinations: { destination: string; minutes: Sums[] }[] };
  const own = destinations.find(({ destination }) => destination === name)?.minutes ?? [];
  const sum = (of: keyof Sums): number => own.reduce((all, minute) => all + minute[of], 0);
  return { delivered: sum('delivered'), retried: sum('retried'), dead: sum('dead') };
}
const card = (page: Page, destination = name) => page.getByRole('region', { name: destination, exact: true });
const openOverview = async (role: 'viewer' | 'operator' | 'admin'): Promise<Page> => {
  const { page, go } = await sitDown(office.world, role);
  await go(`/overview?destination=${name}`);
  await card(page).waitFor();
  return page;
};

test('a destination shows its throughput, latency, what waits, retries and is dead, and its workers', async () => {
  const page = await openOverview('viewer');
  const own = card(page);
  await says(own, '1 worker');
  await says(fact(own, 'delivered a minute'), `${DELIVERED} in all`);
  expect(await fact(own, 'delivered a minute').innerText()).toMatch(/^(?:< )?0\.1\b/);
  expect(await fact(own, 'p50 / p95 / p99').innerText()).toMatch(/^[\d.]+ m?s \/ [\d.]+ m?s \/ [\d.]+ m?s\b/);
  for (const [figure, value] of [
    ['retrying', '0'],
    ['waiting', '0'],
    ['dead', '3'],
  ] as const)
    expect((await fact(own, figure).innerText()).split('\n')[0], figure).toBe(value);
  await says(own, /keeps open letters 90 d, handled ones 30 d\. Now 3 open, 0 replayed, 0 discarded/);
  await own.getByRole('link', { name: `3 dead letters of ${name}` }).click();
  await lists(page, letters);
});

test('each chart says in words what it draws, and stands below as a table', async () => {
  const page = await openOverview('viewer');
  const own = card(page);
  const writes = own.getByRole('figure').filter({ hasText: 'Writes a minute' });
  await writes.locator('canvas').waitFor();
  // Its newest minute; what was done may have met two of them.
  expect(await writes.innerText()).toMatch(/delivered [0-4]\s+tried again [01]\s+dead [0-3]\s+\d\d:\d\d/);
  const latency = own.getByRole('figure').filter({ hasText: 'Latency of attempts' });
  expect(await latency.innerText()).toMatch(/p50 \S+ m?s\s+p95 \S+ m?s\s+p99 \S+ m?s/);
  await own.getByText('The charts as a table').click();
  const table = own.getByRole('table', { name: new RegExp(`^${name}, by minute`) });
  const sumOf = async (column: number): Promise<number> => {
    const cells = await table.locator(`tbody td:nth-child(${column})`).allTextContents();
    return cells.map(Number).reduce((all, each) => all + each, 0);
  };
  await table.waitFor();
  expect(await table.getByRole('columnheader').allTextContents()).toEqual([
    'minute',
    'delivered',
    'tried again',
    'dead',
    'p50',
    'p95',
    'p99',
  ]);
  expect([await sumOf(2), await sumOf(3), await sumOf(4)]).toEqual([DELIVERED, 1, 3]);
  // Over a longer time there are the same writes.
  await page.getByRole('radio', { name: '24 h' }).check();
  await own
    .getByRole('figure')
    .filter({ hasText: /Writes in \d+ min/ })
    .waitFor();
});

test('where nothing was sent there is no empty chart', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/overview?destination=${office.filler.names.quiet}`);
  const quiet = card(page, office.filler.names.quiet);
  await says(quiet, 'No attempt in this time.');
  expect(await quiet.getByRole('figure').count()).toBe(0);
});

test('an admin pauses a destination with a reason, its writes wait, and go out when he resumes it', async () => {
  const page = await openOverview('admin');
  const own = card(page);
  const act = async (button: string, reason: string): Promise<void> => {
    const opener = own.getByRole('button', { name: `${button}…` });
    await opener.click();
    const dialog = page.getByRole('dialog', { name: `${button} ${name}` });
    const press = dialog.getByRole('button', { name: button, exact: true });
    await press.click({ force: true });
    expect(await press.getAttribute('title')).toBe('Say why: it stands in the audit.');
    await dialog.getByLabel('Reason').fill(reason);
    await press.click();
    await dialog.waitFor({ state: 'hidden' });
  };
  await act('Pause', 'the API is moved');
  await says(own, 'paused');
  await says(own, /^Paused by ada just now: the API is moved$/);
  const key = await add();
  await page.reload();
  await shown(async () => expect((await fact(own, 'waiting').innerText()).split('\n')[0]).toBe('1'));
  expect(office.filler.sent.some((send) => send.key === key)).toBe(false);
  await act('Resume', 'it has moved');
  await shown(async () => expect(office.filler.sent.some((send) => send.key === key)).toBe(true));
  await own.getByText('paused', { exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Audit' }).click();
  for (const words of ['destination paused', 'the API is moved', 'destination resumed', 'it has moved'])
    await says(page.getByRole('table'), words);
});

test('an operator finds the button with what it needs, and the server refuses him too', async () => {
  const page = await openOverview('operator');
  const button = card(page).getByRole('button', { name: 'Pause…' });
  expect(await button.getAttribute('title')).toBe('Needs the role admin.');
  await button.click({ force: true });
  expect(await page.getByRole('dialog').count()).toBe(0);
  const otto = await office.world.enter('operator');
  const answer = await otto.post(`/api/destinations/${name}/pause`, { reason: 'I want to' });
  expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  await page.reload();
  await button.waitFor();
});
