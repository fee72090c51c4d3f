// Which letters are meant by what one does next: rows, ranges, pages, everything that matches; always with their number.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import {
  type BrowserOffice,
  hasFocus,
  idsOf,
  openOffice,
  rowBoxes,
  says,
  shown,
} from '../../support/browser-office.ts';
import { usual } from '../../support/dead-letters-filler.ts';

const COUNT = 57;
const ON_A_PAGE = 50;
let office: BrowserOffice;
let name: string;

beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  await office.filler.die('sms', usual(COUNT));
});
afterAll(() => office?.close());

async function openList(): Promise<Page> {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/letters?destination=${name}`);
  await says(page, `${COUNT} open`);
  await shown(async () => expect(await rowBoxes(page).count()).toBe(ON_A_PAGE));
  return page;
}
const bar = (page: Page) => page.getByRole('region', { name: 'Selection and export' });
/** Which rows of the page are selected, from 0. */
const selected = (page: Page): Promise<number[]> =>
  rowBoxes(page).evaluateAll((boxes) => boxes.flatMap((box, row) => (box.matches(':checked') ? [row] : [])));

test('rows are selected one by one, and with shift as a range; how many are selected, and of how many, always stands there', async () => {
  const page = await openList();
  await says(bar(page), 'None selected');
  await says(bar(page), `of ${COUNT}`);
  await rowBoxes(page).nth(2).click();
  await says(bar(page), '1 selected');
  await rowBoxes(page)
    .nth(5)
    .click({ modifiers: ['Shift'] });
  await says(bar(page), '4 selected');
  expect(await selected(page)).toEqual([2, 3, 4, 5]);
  await rowBoxes(page).nth(3).click();
  await says(bar(page), '3 selected');
  // Backwards, and taken away: the range takes the state of the row that was clicked.
  await rowBoxes(page).nth(9).click();
  await rowBoxes(page)
    .nth(7)
    .click({ modifiers: ['Shift'] });
  expect(await selected(page)).toEqual([2, 4, 5, 7, 8, 9]);
  await bar(page).getByRole('button', { name: 'Clear' }).click();
  await says(bar(page), 'None selected');
  expect(await selected(page)).toEqual([]);
});

test('the box in the head selects the page, and tells when only some of it is selected', async () => {
  const page = await openList();
  const head = page.getByRole('checkbox', { name: 'Select this page' });
  await head.click();
  await says(bar(page), `${ON_A_PAGE} selected`);
  await rowBoxes(page).first().click();
  await says(bar(page), `${ON_A_PAGE - 1} selected`);
  await shown(async () => expect(await head.ariaSnapshot()).toContain('[checked=mixed]'));
  await head.click();
  await says(bar(page), `${ON_A_PAGE} selected`);
  await head.click();
  await says(bar(page), 'None selected');
});

test('what is selected stays so on the next page, where more is added to it', async () => {
  const page = await openList();
  const before = await idsOf(page);
  await rowBoxes(page).nth(0).click();
  await rowBoxes(page).nth(1).click();
  await page.getByRole('link', { name: 'Next page' }).click();
  await shown(async () => expect(await rowBoxes(page).count()).toBe(COUNT - ON_A_PAGE));
  expect(before).not.toContain((await idsOf(page))[0]);
  expect(await selected(page)).toEqual([]);
  await rowBoxes(page).nth(3).click();
  await says(bar(page), '3 selected');
  await page.getByRole('link', { name: 'First page' }).click();
  await shown(async () => expect(await idsOf(page)).toEqual(before));
  expect(await selected(page)).toEqual([0, 1]);
});

test('all that match are selected across pages, and a dry run means all of them', async () => {
  const page = await openList();
  await page.getByRole('checkbox', { name: 'Select this page' }).click();
  await bar(page)
    .getByRole('button', { name: `Select all ${COUNT} that match` })
    .click();
  await says(bar(page), `All ${COUNT} selected`);
  await page.getByRole('link', { name: 'Next page' }).click();
  await shown(async () => expect((await selected(page)).length).toBe(COUNT - ON_A_PAGE));
  await bar(page).getByRole('button', { name: 'Discard…' }).click();
  const dialog = page.getByRole('dialog', { name: new RegExp(`^Discard all ${COUNT} `) });
  await says(dialog.getByRole('region', { name: 'Dry run' }), String(COUNT));
  await dialog.getByRole('button', { name: `Discard ${COUNT}` }).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  // The focus is where it was before.
  await hasFocus(bar(page).getByRole('button', { name: 'Discard…' }));
  await says(bar(page), `All ${COUNT} selected`);
});

test('another filter begins with nothing selected', async () => {
  const page = await openList();
  await rowBoxes(page).first().click();
  await page.getByRole('button', { name: 'Filter' }).first().click();
  await page.getByLabel('Status').fill('404');
  await page.getByRole('button', { name: 'Apply' }).click();
  await says(bar(page), `of ${Math.ceil((COUNT - 2) / 7)}`);
  await says(bar(page), 'None selected');
});
