// What changes while somebody looks: told, offered, and never moved under his hands.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCli } from '../../cli/run-cli.ts';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, idsOf, lists, openOffice, says, shown } from '../../support/browser-office.ts';
import { TOKENS, TOKENS_ENV } from '../../support/dashboard-world.ts';
import { type Death, says as apiSays } from '../../support/dead-letters-filler.ts';
import { redisUrl } from '../../support/redis.ts';

let office: BrowserOffice;
beforeAll(async () => {
  // One for each test.
  office = await openOffice({ pill: {}, pause: {}, hide: {}, poll: {}, two: {}, outage: {} });
});
afterAll(() => office?.close());

const DEATH: Death = { answers: [apiSays(404, 'NOT_FOUND')] };
const die = async (short: string, count: number): Promise<string[]> =>
  (
    await office.filler.die(
      short,
      Array.from({ length: count }, () => DEATH),
    )
  ).map(({ letter }) => letter);
const name = (short: string): string => office.filler.names[short] ?? '';
const pill = (page: Page, count: number) =>
  page.getByRole('button', { name: `${count} new dead letter${count === 1 ? '' : 's'}: show` });
const liveSwitch = (page: Page) => page.getByRole('button', { name: /^Live updates: / });
const isLive = (page: Page, state: string): Promise<void> =>
  page.getByRole('button', { name: `Live updates: ${state}` }).waitFor();

test('new dead letters are offered by their number and move no row; pressing that shows them, at the top', async () => {
  const before = await die('pill', 3);
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${name('pill')}`);
  await lists(page, before);
  await isLive(page, 'live');
  const after = await die('pill', 2);
  await pill(page, 2).waitFor();
  expect((await idsOf(page)).toSorted()).toEqual(before.toSorted());
  await pill(page, 2).click();
  await lists(page, [...before, ...after]);
  expect((await idsOf(page)).slice(0, 2).toSorted()).toEqual(after.toSorted());
  await says(page, '5 open');
  await pill(page, 2).waitFor({ state: 'detached' });
  // The groups offer them in the same way.
  await page.getByRole('link', { name: 'Groups' }).click();
  await says(page, /^5 open in 1 group/);
  await die('pill', 1);
  await pill(page, 1).click();
  await says(page, /^6 open in 1 group/);
});

test('whoever pauses it is told nothing until he lets it go on, and then what came meanwhile', async () => {
  await die('pause', 1);
  const [paused, other] = [await sitDown(office.world, 'viewer'), await sitDown(office.world, 'viewer')];
  for (const { page, go } of [paused, other]) {
    await go(`/letters?destination=${name('pause')}`);
    await says(page, '1 open');
    await isLive(page, 'live');
  }
  await liveSwitch(paused.page).click();
  await isLive(paused.page, 'paused');
  expect(await liveSwitch(paused.page).getAttribute('aria-pressed')).toBe('false');
  const asked: string[] = [];
  paused.page.on('request', (request) => asked.push(request.url()));
  await die('pause', 2);
  await pill(other.page, 2).waitFor();
  expect(asked).toEqual([]);
  expect(await pill(paused.page, 2).count()).toBe(0);
  await liveSwitch(paused.page).click();
  await isLive(paused.page, 'live');
  await pill(paused.page, 2).waitFor();
});

test('a tab that nobody sees gives its stream back, and catches up when it is seen again', async () => {
  const before = await die('hide', 1);
  const { page, go } = await sitDown(office.world, 'viewer');
  // Of a browser without windows every tab is seen.
  const show = (seen: boolean): Promise<unknown> =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, value: ${!seen} });
      document.dispatchEvent(new Event('visibilitychange'));`,
    );
  const asked: string[] = [];
  let streams = 0;
  page.on('request', (request) => {
    asked.push(request.url());
    if (request.url().endsWith('/api/events')) streams += 1;
  });
  page.on('requestfailed', (request) => {
    if (request.url().endsWith('/api/events')) streams -= 1;
  });
  await go(`/letters?destination=${name('hide')}`);
  await lists(page, before);
  await isLive(page, 'live');
  await show(false);
  await shown(async () => expect(streams).toBe(0));
  asked.length = 0;
  await die('hide', 2);
  expect(asked).toEqual([]);
  await show(true);
  await pill(page, 2).waitFor();
  await isLive(page, 'live');
  expect(streams).toBe(1);
});

test('where the stream of events fails the page looks by itself, says so, and shows what is new all the same', async () => {
  const before = await die('poll', 1);
  const { page, go } = await sitDown(office.world, 'viewer');
  await page.clock.install();
  await page.route('**/api/events', (route) => route.abort());
  await go(`/letters?destination=${name('poll')}`);
  await lists(page, before);
  await isLive(page, 'polling');
  await die('poll', 2);
  await page.clock.runFor(6000);
  await pill(page, 2).waitFor();
  // And it goes back to the stream when that is there again.
  await page.unroute('**/api/events');
  await page.clock.runFor(31_000);
  await isLive(page, 'live');
});

test('what is done at one process of the dashboard is seen at another, without loading the page again', async () => {
  const cli = await startCli(['dashboard', '--port', '0'], { env: { REDIS_URL: redisUrl(), ...TOKENS_ENV } });
  await cli.says('the dashboard is at ');
  const [url = ''] = /http:\S+(?<!,)/.exec(cli.stderr()) ?? [];
  const [letter] = await die('two', 1);
  const here = await sitDown(office.world, 'operator');
  const there = await sitDown({ url, enter: () => Promise.reject(new Error('by the form')) });
  await there.go(`/operations?destination=${name('two')}`);
  await there.page.getByLabel('Token').fill(TOKENS.viewer);
  await there.page.getByRole('button', { name: 'Sign in' }).click();
  await there.page.getByRole('heading', { name: 'No bulk operation yet' }).waitFor();
  await isLive(there.page, 'live');
  await here.go(`/letters?destination=${name('two')}`);
  await lists(here.page, [letter ?? '']);
  await here.page.getByRole('checkbox', { name: 'Select this page' }).click();
  await here.page.getByRole('button', { name: 'Discard…' }).click();
  await here.page.getByRole('dialog').getByLabel('Reason').fill('seen from afar');
  await here.page.getByRole('dialog').getByRole('button', { name: 'Discard 1' }).click();
  const row = there.page.getByRole('row').filter({ hasText: 'seen from afar' });
  await row.getByText('done', { exact: true }).waitFor();
  await says(row, 'otto');
  await there.go(`/letters?destination=${name('two')}`);
  await there.page.getByRole('heading', { name: `No open dead letters of ${name('two')}` }).waitFor();
  await isLive(there.page, 'live');
  await die('two', 1);
  await pill(there.page, 1).click();
  await shown(async () => expect(await idsOf(there.page)).toHaveLength(1));
});

test('the overview is asked by the clock: however much dies, no more often than every ten seconds', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  let asked = 0;
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/overview') asked += 1;
  });
  const since = Date.now();
  await go(`/overview?destination=${name('outage')}`);
  await isLive(page, 'live');
  await page.evaluate(`told = 0; new EventSource('/api/events').addEventListener('changed', () => (told += 1))`);
  const told = async (): Promise<number> => page.evaluate<number>('told');
  for (let changes = 0; changes < 5; changes++) {
    const before = await told();
    await die('outage', 1);
    await shown(async () => expect(await told()).toBeGreaterThan(before));
  }
  // Once at the start, and once at each tenth second of the clock.
  expect(asked).toBeLessThanOrEqual(2 + Math.floor((Date.now() - since) / 10_000));
});
