// How the page looks to one person: keys, theme, times, environment, retention, a phone.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PHONE, sitDown } from '../../support/browser.ts';
import {
  type BrowserOffice,
  fitsItsWidth,
  idsOf,
  lists,
  openOffice,
  rowBoxes,
  says,
  shown,
} from '../../support/browser-office.ts';
import { usual } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
let name: string;
let letters: string[];
beforeAll(async () => {
  office = await openOffice({ sms: { retention: { deadMs: 20 * 86_400_000 } } }, { environment: 'production-eu' });
  name = office.filler.names.sms ?? '';
  letters = (await office.filler.die('sms', usual(5))).map(({ letter }) => letter);
});
afterAll(() => office?.close());

const list = (): string => `/letters?destination=${name}`;
const focusedRow = (page: Page) => page.getByRole('row').filter({ has: page.locator(':focus') });
/** Waits until the focus is in the row of this letter. */
const isAt = (page: Page, letter: string | undefined): Promise<void> =>
  focusedRow(page)
    .getByRole('checkbox', { name: new RegExp(`, ${letter}$`) })
    .waitFor();
/** Opens the settings, chooses, and closes them. */
async function choose(page: Page, ...options: string[]): Promise<void> {
  await page.getByRole('button', { name: /^Settings of / }).click();
  const menu = page.getByRole('region', { name: 'Settings' });
  for (const option of options) await menu.getByRole('radio', { name: option, exact: true }).check();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
}

test('j and k go from row to row, x selects, Enter opens, and the question mark tells all keys', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(list());
  await lists(page, letters);
  const order = await idsOf(page);
  await page.keyboard.press('j');
  await isAt(page, order[0]);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await isAt(page, order[2]);
  await page.keyboard.press('k');
  await isAt(page, order[1]);
  await page.keyboard.press('x');
  await says(page, '1 selected');
  expect(await rowBoxes(page).nth(1).isChecked()).toBe(true);
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  for (const does of ['next row', 'previous row', 'select the row', 'open the row', 'search']) await says(dialog, does);
  // A dialog has the keys for itself.
  await page.keyboard.press('x');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await says(page, '1 selected');
  await isAt(page, order[1]);
  await page.keyboard.press('d');
  const discard = page.getByRole('dialog', { name: 'Discard 1 dead letter' });
  await discard.waitFor();
  await page.keyboard.press('Escape');
  await discard.waitFor({ state: 'hidden' });
  await isAt(page, order[1]);
  await page.keyboard.press('Enter');
  await shown(async () => expect(new URL(page.url()).pathname).toBe(`/letters/${name}/${order[1]}`));
});

test('keys mean nothing to who is typing, and to who has switched them off, also the next day', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(list());
  await lists(page, letters);
  await page.getByRole('searchbox').fill('');
  await page.getByRole('searchbox').press('?');
  await page.getByRole('searchbox').press('j');
  expect(await page.getByRole('searchbox').inputValue()).toBe('?j');
  expect(await page.getByRole('dialog').count()).toBe(0);
  await page.getByRole('button', { name: /^Settings of / }).click();
  await page.getByRole('region', { name: 'Settings' }).getByRole('button', { name: 'Keys' }).click();
  await page.getByRole('checkbox', { name: 'Single keys are on' }).uncheck();
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
  await page.reload();
  await lists(page, letters);
  for (const key of ['j', 'x', '?', '/']) await page.keyboard.press(key);
  expect(await focusedRow(page).count()).toBe(0);
  await says(page, 'None selected');
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(await page.getByRole('searchbox').and(page.locator(':focus')).count()).toBe(0);
});

test('the theme is the system’s until one is chosen, and that one stays', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(list());
  await lists(page, letters);
  const isDark = async (): Promise<boolean> => {
    const colour = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const [red = 255] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return (colour.startsWith('rgb') ? red / 255 : red) < 0.5;
  };
  expect(await isDark()).toBe(false);
  await page.emulateMedia({ colorScheme: 'dark' });
  await shown(async () => expect(await isDark()).toBe(true));
  await choose(page, 'Light');
  expect(await isDark()).toBe(false);
  await page.emulateMedia({ colorScheme: 'light' });
  await choose(page, 'Dark');
  expect(await isDark()).toBe(true);
  await page.reload();
  await lists(page, letters);
  expect(await isDark()).toBe(true);
  await choose(page, 'System');
  expect(await isDark()).toBe(false);
});

test('times are relative or absolute, local or UTC, as one chooses, and stay so', async () => {
  const { page, go } = await sitDown(office.world, 'viewer', { timezoneId: 'Asia/Kolkata' });
  await go(list());
  await lists(page, letters);
  const died = page.getByRole('row').nth(1).getByRole('cell').last().getByRole('time');
  expect(await died.textContent()).toMatch(/^(?:just now|\d+ \w+ ago)$/);
  const iso = (await died.getAttribute('datetime')) ?? '';
  const words = (hoursAhead: number): string =>
    new Date(Date.parse(iso) + hoursAhead * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
  expect(await died.getAttribute('title')).toBe(words(5.5));
  await choose(page, 'Absolute');
  expect(await died.textContent()).toBe(words(5.5));
  await choose(page, 'UTC');
  expect(await died.textContent()).toBe(`${words(0)}Z`);
  await page.reload();
  await lists(page, letters);
  expect(await died.textContent()).toBe(`${words(0)}Z`);
});

test('the environment stands on every view, and retention says what is kept, how long, and when the oldest goes', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  for (const path of ['/', '/letters', '/operations', '/overview', '/audit', '/find']) {
    await go(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await says(page.getByRole('banner'), 'production-eu');
  }
  await go(list());
  await says(page, /^Retention: 5 letters.*; kept 20 d; the oldest goes in 20 d/);
});

test('on a phone no view scrolls sideways, and letters are cards that can be read, selected and acted on', async () => {
  const { page, go } = await sitDown(office.world, 'operator', { viewport: PHONE, hasTouch: true });
  for (const path of ['/', '/letters', '/operations', '/overview', '/audit', '/find', '/what-if']) {
    await go(`${path}?destination=${name}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await fitsItsWidth(page);
  }
  await go(list());
  await lists(page, letters);
  await fitsItsWidth(page);
  const cards = page.getByRole('row').filter({ has: rowBoxes(page) });
  let bottom = 0;
  for (const card of await cards.all()) {
    const { x = -1, y = -1, width = PHONE.width, height = 0 } = (await card.boundingBox()) ?? {};
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(PHONE.width);
    expect(y).toBeGreaterThanOrEqual(bottom);
    bottom = y + height;
  }
  const invalid = cards.filter({ hasText: 'phone_number' });
  for (const words of ['VALIDATION_ERROR', '422', 'validation error', 'not applied', 'POST /v1/subscriptions/opt-in'])
    await says(invalid, words);
  await rowBoxes(page).first().tap();
  await says(page, '1 selected');
  await page.getByRole('button', { name: 'Replay…' }).tap();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').waitFor();
  await fitsItsWidth(page);
  const { x = -1, width = 999 } = (await dialog.boundingBox()) ?? {};
  expect(x).toBeGreaterThanOrEqual(0);
  expect(x + width).toBeLessThanOrEqual(PHONE.width);
});
