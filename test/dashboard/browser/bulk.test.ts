// Bulk operations from the first press to the last item: a dry run, why, how fast, and what became of each.
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, lists, openOffice, rowBoxes, says, shown } from '../../support/browser-office.ts';
import { type Answer, type Death, says as apiSays } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
beforeAll(async () => {
  // One for each test: none of them meets the letters of another.
  office = await openOffice({ group: {}, again: {}, slow: {}, gone: {}, many: {}, doubt: {}, lost: {} });
});
afterAll(() => office?.close());

/** @param more what the API says to the sends after the first */
const times = (count: number, first: Answer, ...more: Answer[]): Death[] =>
  Array.from({ length: count }, () => ({ answers: [first, ...more] }));
const NAME_TAKEN = apiSays(409, 'NAME_TAKEN');

async function die(
  short: string,
  deaths: readonly Death[],
): Promise<{ name: string; keys: string[]; letters: string[] }> {
  const dead = await office.filler.die(short, deaths);
  return {
    name: office.filler.names[short] ?? '',
    keys: dead.map(({ key }) => key),
    letters: dead.map(({ letter }) => letter),
  };
}
const sendsOf = (key: string): number => office.filler.sent.filter((send) => send.key === key).length;
const dryRun = (dialog: Locator) => dialog.getByRole('region', { name: 'Dry run' });
/** A figure of the dry run or of an operation: its number stands above its name. */
const figure = (where: Locator | Page, name: string) =>
  where.getByText(name, { exact: true }).first().locator('xpath=..');
const tells = (where: Locator | Page, name: string, value: number): Promise<void> =>
  shown(async () => expect(await figure(where, name).textContent()).toMatch(new RegExp(`^${value}\\D|\\D${value}$`)));
const stands = (page: Page, state: string): Promise<void> =>
  page.getByRole('heading', { level: 1 }).getByText(state, { exact: true }).waitFor();
const itemsOf = (page: Page) =>
  page
    .getByRole('table', { name: 'Items of the operation' })
    .getByRole('row')
    .filter({ has: page.getByRole('cell') });

/** Selects the page of a list and begins to act on it. */
async function startOnList(page: Page, act: 'Replay' | 'Discard' | 'Restore', count: number): Promise<Locator> {
  await shown(async () => expect(await rowBoxes(page).count()).toBe(Math.min(count, 50)));
  await page.getByRole('checkbox', { name: 'Select this page' }).click();
  if (count > 50) await page.getByRole('button', { name: `Select all ${count} that match` }).click();
  await page.getByRole('button', { name: `${act}…` }).click();
  return page.getByRole('dialog');
}

test('a group is replayed: dry run, reason, rate, canary steps, progress, and each item with what became of it', async () => {
  const { name, keys, letters } = await die('group', times(12, NAME_TAKEN));
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/?destination=${name}`);
  await page.getByRole('button', { name: /^Replay group NAME_TAKEN/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Replay 12 dead letters of NAME_TAKEN' });
  await tells(dryRun(dialog), 'meant', 12);
  await tells(dryRun(dialog), 'allowed', 12);
  await tells(dryRun(dialog), 'refused', 0);
  await says(dryRun(dialog), /the first key ends in/);
  await dryRun(dialog)
    .getByText(/letters? of them/)
    .click();
  await says(dryRun(dialog), 'POST /v1/subscriptions/opt-in');
  // Nothing is done without a reason.
  const replay = dialog.getByRole('button', { name: 'Replay 12' });
  await replay.click();
  await says(dialog, 'Say why: it stands in the audit');
  expect(await dialog.getByLabel('Reason').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Reason').fill('the names are free now');
  await dialog.getByLabel('Items a second').fill('0');
  await replay.click();
  await says(dialog, 'From 0.1 to 1000');
  await dialog.getByLabel('Items a second').fill('200');
  await dialog.getByRole('radio', { name: /^Canary/ }).check();
  await replay.click();
  await page.getByRole('heading', { level: 1, name: /^Replay 12 letters of / }).waitFor();
  expect(new URL(page.url()).pathname).toMatch(new RegExp(`^/operations/${name}/.+`));
  await stands(page, 'done');
  const progress = page.getByRole('progressbar', { name: 'Progress of replay' });
  expect(await progress.getAttribute('aria-valuetext')).toBe('12 of 12 (100 %), done');
  await shown(async () => expect(await page.getByRole('status').allTextContents()).toContain('12 of 12 (100 %), done'));
  await tells(page, 'delivered', 12);
  await shown(async () => expect(await itemsOf(page).filter({ hasText: 'delivered' }).count()).toBe(12));
  expect(
    await itemsOf(page)
      .filter({ hasText: letters[4] ?? '' })
      .count(),
  ).toBe(1);
  const facts = page.getByRole('region', { name: 'What it is' });
  for (const words of ['otto', 'the names are free now', 'NAME_TAKEN']) await says(facts, words);
  await says(facts, /^200 a second; in canary steps; under their own keys; stops when more than 20 % fail again/);
  expect(keys.map(sendsOf)).toEqual(keys.map(() => 2));
  // What is delivered is dead no more.
  await page.getByRole('link', { name: 'Groups' }).click();
  await go(`/?destination=${name}`);
  await page.getByRole('heading', { name: /^0 dead letters, the last one / }).waitFor();
});

test('an operation stops itself when its writes die again, and says what they died of', async () => {
  const { name } = await die('again', times(5, NAME_TAKEN, NAME_TAKEN));
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/?destination=${name}`);
  await page.getByRole('button', { name: /^Replay group NAME_TAKEN/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('perhaps now');
  await dialog.getByRole('radio', { name: /^Canary/ }).check();
  await dialog.getByRole('button', { name: 'Replay 5' }).click();
  await stands(page, 'paused');
  await says(page.getByRole('main'), /NAME_TAKEN/);
  await tells(page, 'dead again', 1);
  await tells(page, 'to come', 4);
  await itemsOf(page).getByRole('link', { name: 'dead again' }).click();
  await shown(async () => expect(new URL(page.url()).pathname).toMatch(/\.g1$/));
});

test('an operation is paused, goes on, and is cancelled, each with a reason; what was not begun is left as it was', async () => {
  const { name, letters } = await die('slow', times(8, NAME_TAKEN));
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/letters?destination=${name}`);
  const dialog = await startOnList(page, 'Replay', 8);
  await dialog.getByLabel('Reason').fill('slowly');
  await dialog.getByLabel('Items a second').fill('0.2');
  await dialog.getByRole('button', { name: 'Replay 8' }).click();
  const acts = async (button: string, title: string, reason: string): Promise<void> => {
    await page.getByRole('button', { name: button }).click();
    const asked = page.getByRole('dialog', { name: title });
    await asked.getByRole('button', { name: title }).click();
    await says(asked, 'Say why: it stands in the audit');
    await asked.getByLabel('Reason').fill(reason);
    await asked.getByRole('button', { name: title }).click();
    await asked.waitFor({ state: 'hidden' });
  };
  await acts('Pause…', 'Pause', 'lunch');
  await stands(page, 'paused');
  await says(page, /lunch/);
  await page.reload();
  await stands(page, 'paused');
  await acts('Resume…', 'Resume', 'back again');
  await stands(page, 'running');
  await acts('Cancel…', 'Cancel the operation', 'enough');
  await stands(page, 'cancelled');
  expect(await page.getByRole('button', { name: /^(?:Pause|Resume|Cancel)…$/ }).count()).toBe(0);
  // An item that was begun is finished.
  await page.reload();
  await stands(page, 'cancelled');
  await shown(async () => expect(await itemsOf(page).count()).toBe(8));
  const left = await itemsOf(page).filter({ hasText: 'to come' }).getByRole('link').allTextContents();
  expect(left.length).toBeGreaterThan(0);
  expect(letters).toEqual(expect.arrayContaining(left));
  await go(`/letters?destination=${name}`);
  await lists(page, left);
});

test('an operation goes on when its page is closed, and is found again among the operations', async () => {
  const { name, letters } = await die('gone', times(6, NAME_TAKEN));
  const first = await sitDown(office.world, 'operator');
  await first.go(`/letters?destination=${name}`);
  const dialog = await startOnList(first.page, 'Discard', 6);
  await dialog.getByLabel('Reason').fill('nobody misses them');
  await dialog.getByLabel('Items a second').fill('4');
  await dialog.getByRole('button', { name: 'Discard 6' }).click();
  await first.page.getByRole('heading', { level: 1, name: /^Discard 6 letters of / }).waitFor();
  await first.page.close();
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/operations?destination=${name}`);
  await says(page, 'nobody misses them');
  await page.getByRole('row').getByText('done', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Discard 6 letters' }).click();
  await stands(page, 'done');
  await go(`/letters?destination=${name}&state=discarded`);
  await lists(page, letters);
  await says(page, /^discarded by otto/);
});

test(
  'more than a hundred are discarded only after typing their number, and restored in the same way',
  { timeout: 60_000 },
  async () => {
    const { name } = await die('many', times(101, NAME_TAKEN));
    const { page, go } = await sitDown(office.world, 'operator');
    await go(`/letters?destination=${name}`);
    for (const act of ['Discard', 'Restore'] as const) {
      const dialog = await startOnList(page, act, 101);
      await dialog.getByLabel('Reason').fill('because');
      await dialog.getByLabel('Items a second').fill('1000');
      const number = dialog.getByLabel('Type 101 to confirm how many');
      await number.fill('100');
      await dialog.getByRole('button', { name: `${act} 101` }).click();
      await says(dialog, 'Type 101');
      await number.fill('101');
      await dialog.getByRole('button', { name: `${act} 101` }).click();
      await stands(page, 'done');
      await tells(page.getByRole('region', { name: 'Progress' }), 'done', 101);
      await go(`/letters?destination=${name}${act === 'Discard' ? '&state=discarded' : ''}`);
      await says(page, act === 'Discard' ? '101 discarded' : '101 open');
    }
  },
);

test('what may be applied twice is refused under a new key, and replayed only once somebody has typed that he accepts it', async () => {
  const { name, keys } = await die('doubt', times(3, 'reset'));
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/letters?destination=${name}`);
  const dialog = await startOnList(page, 'Replay', 3);
  await says(dryRun(dialog), /^in doubt/);
  await dialog.getByLabel('Reason').fill('the customer calls');
  await dialog.getByRole('radio', { name: /^A new one each/ }).check();
  await says(dryRun(dialog), '3 refused');
  const replay = dialog.getByRole('button', { name: /^Replay/ });
  await shown(async () => expect(await replay.getAttribute('aria-disabled')).toBe('true'));
  await dialog.getByRole('checkbox', { name: /applied twice/ }).check();
  await tells(dryRun(dialog), 'may be applied twice', 3);
  const phrase = dialog.getByLabel(/^Type .applied twice. to accept it/);
  await dialog.getByRole('button', { name: 'Replay 3' }).click();
  await says(dialog, 'Type the words: applied twice');
  await phrase.fill('applied once');
  await dialog.getByRole('button', { name: 'Replay 3' }).click();
  await says(dialog, 'Type the words: applied twice');
  expect(keys.map(sendsOf)).toEqual([1, 1, 1]);
  await phrase.fill('applied twice');
  await dialog.getByRole('button', { name: 'Replay 3' }).click();
  await stands(page, 'done');
  await tells(page, 'delivered', 3);
  await says(page, /each under a new key.*applied twice/);
  // The old keys were sent once; the new ones are others.
  expect(keys.map(sendsOf)).toEqual([1, 1, 1]);
});

test('where the answer to the first press is lost, a second one finds the operation of the first and begins no other', async () => {
  const { name } = await die('lost', times(3, NAME_TAKEN));
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/letters?destination=${name}`);
  const dialog = await startOnList(page, 'Discard', 3);
  await dialog.getByLabel('Reason').fill('no longer wanted');
  const isCreation = (url: URL): boolean => url.pathname === '/api/operations';
  await page.route(
    isCreation,
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  const discard = dialog.getByRole('button', { name: 'Discard 3' });
  await discard.click();
  await says(dialog.getByRole('alert'), 'UNREACHABLE');
  await discard.click();
  await stands(page, 'done');
  const { body } = await office.world.as('viewer').get(`/api/operations?destination=${name}`);
  expect((body as { operations: object[] }).operations).toHaveLength(1);
});
