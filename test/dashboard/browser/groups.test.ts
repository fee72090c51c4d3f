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
    { answers: [apiSays(422, 'VALIDATION_ERROR')] },
    { answers: [{ status: 502, raw: '<html>Bad Gateway</html>' }] },
  ] satisfies Death[];
  letters = (await office.filler.die('sms', deaths)).map(({ letter }) => letter);
});
afterAll(() => office?.close());

test('dead letters are folded into groups by code and field, the largest first, with count, times, bars and what to do', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  await says(page, /^9 open in 6 groups/);
  expect(await page.getByRole('link', { name: 'Groups' }).getAttribute('aria-current')).toBe('page');
  const groups = page.getByRole('list', { name: 'Groups' }).getByRole('listitem');
  expect(await groups.count()).toBe(6);
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
  await says(groups.filter({ hasText: 'ECONNRESET' }), 'in doubt');
});

test('a group leads to its letters and no others, by an address that others can be given', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const cases = [
    ['Support bundle of VALIDATION_ERROR, field email', [3], { code: 'VALIDATION_ERROR', field: 'email' }],
    ['Support bundle of VALIDATION_ERROR, field phone_number', [0, 1, 2], { field: 'phone_number' }],
    ['Support bundle of VALIDATION_ERROR', [7], { code: 'VALIDATION_ERROR', without: 'field' }],
    ['Support bundle of ECONNRESET', [6], { code: 'ECONNRESET' }],
    ['Support bundle of HTTP_502', [8], { code: 'HTTP_502', without: 'field' }],
  ] as const;
  for (const [name_, which, query] of cases) {
    await go(`/?destination=${name}`);
    const bundle = page.getByRole('link', { name: name_, exact: true });
    const group = page.getByRole('listitem').filter({ has: bundle });
    await group.getByRole('heading').getByRole('link').click();
    await lists(
      page,
      which.map((at) => letters[at] ?? ''),
      name_,
    );
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({ destination: name, ...query });
  }
  await page.goBack();
  await says(page, /^9 open in 6 groups/);
});

test('the time that groups are about stands in the address, and is the same after loading the page again', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  await page.getByRole('radio', { name: '24 h' }).check();
  await shown(async () => expect(new URL(page.url()).searchParams.get('window')).toBe('24h'));
  await page.reload();
  await says(page, /^9 open in 6 groups/);
  expect(await page.getByRole('radio', { name: '24 h' }).isChecked()).toBe(true);
});

test('a group without a field, also one of broken connections, is acted on by itself, and its list says what it lacks', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/?destination=${name}`);
  await page.getByRole('button', { name: 'Discard group ECONNRESET' }).click();
  const dialog = page.getByRole('dialog', { name: 'Discard 1 dead letter of ECONNRESET' });
  await dialog.getByRole('button', { name: 'Discard 1' }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'INVALID_API_KEY', exact: true }).click();
  await lists(page, letters.slice(4, 6));
  await page.getByRole('button', { name: 'Remove the filter without' }).waitFor();
  // What it asks for it cannot lack.
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('combobox', { name: 'Without' }).selectOption('a code');
  await says(page, 'The filter asks for one');
  await page.getByRole('button', { name: 'Apply' }).click();
  expect(new URL(page.url()).searchParams.get('without')).toBe('field');
  await page.getByRole('combobox', { name: 'Without' }).selectOption('any');
  await page.getByRole('button', { name: 'Apply' }).click();
  await shown(async () => expect(new URL(page.url()).searchParams.has('without')).toBe(false));
  await lists(page, letters.slice(4, 6));
});
