// The landing view, as somebody meets it in the morning.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, lists, openOffice, says, shown } from '../../support/browser-office.ts';
import { type Death, says as apiSays } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
let name: string;
let letters: string[];

const invalid = (field: string): Death => ({
  answers: [apiSays(422, 'VALIDATION_ERROR', { details: { field } })],
});

beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  const deaths = [
    invalid('phone_number'),
    invalid('phone_number'),
    invalid('phone_number'),
    invalid('email'),
    { answers: [apiSays(401, 'INVALID_API_KEY')] },
    { answers: [apiSays(401, 'INVALID_API_KEY')] },
    { answers: ['reset'] as const },
  ] satisfies Death[];
  letters = (await office.filler.die('sms', deaths)).map(({ letter }) => letter);
});
afterAll(() => office?.close());

test('dead letters are folded into groups by code and field, the largest first, with count, times, bars and what to do', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  await says(page, '7 open in 4 groups');
  expect(await page.getByRole('link', { name: 'Groups' }).getAttribute('aria-current')).toBe('page');
  const groups = page.getByRole('list', { name: 'Groups' }).getByRole('listitem');
  expect(await groups.count()).toBe(4);
  const first = groups.first();
  expect(await first.getByRole('heading').textContent()).toBe('VALIDATION_ERROR');
  await says(first, 'phone_number');
  await says(first, '422');
  await says(first, 'not applied');
  await says(first, '3');
  // Its last and its first death, each a moment in a form that programs read too.
  const moment = async (which: RegExp): Promise<number> =>
    Date.parse((await first.getByText(which).getByRole('time').getAttribute('datetime')) ?? '');
  expect(await moment(/^first/)).toBeLessThanOrEqual(await moment(/^last/));
  const bars = first.getByRole('img', { name: /^Deaths over time: 3 dead letters in .+; most, \d, from / });
  expect(await bars.count()).toBe(1);
  expect((await bars.boundingBox())?.width).toBeGreaterThan(50);
  await says(groups.filter({ hasText: 'INVALID_API_KEY' }), /key/i);
  await says(groups.filter({ hasText: 'No code in the answer' }), 'in doubt');
});

test('a group leads to its letters and no others, by an address that others can be given', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  const email = page.getByRole('listitem').filter({ hasText: 'email' });
  await email.getByRole('link', { name: 'VALIDATION_ERROR', exact: true }).click();
  await lists(page, [letters[3] ?? '']);
  const { searchParams } = new URL(page.url());
  expect(Object.fromEntries(searchParams)).toMatchObject({ destination: name, code: 'VALIDATION_ERROR', field: 'email' });
  await page.goBack();
  await says(page, '7 open in 4 groups');
});

test('the time that groups are about stands in the address, and is the same after loading the page again', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  await page.getByRole('radio', { name: '24 h' }).check();
  await shown(async () => expect(new URL(page.url()).searchParams.get('window')).toBe('24h'));
  await page.reload();
  await says(page, '7 open in 4 groups');
  expect(await page.getByRole('radio', { name: '24 h' }).isChecked()).toBe(true);
});
