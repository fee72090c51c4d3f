// Who did what, when and why: to be read, narrowed, followed and taken along.
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, openOffice, says, shown } from '../../support/browser-office.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

const FORMULA = '=HYPERLINK("http://evil.test","open")';
const MARKUP = '<img src=x onerror="window.harm=1">';
let office: BrowserOffice;
let name: string;
let letters: string[];
let newKey: string;

beforeAll(async () => {
  office = await openOffice({ sms: {}, mail: {} });
  name = office.filler.names.sms ?? '';
  const dead = await office.filler.die(
    'sms',
    Array.from({ length: 5 }, () => ({ answers: [apiSays(409, 'NAME_TAKEN')] })),
  );
  letters = dead.map(({ letter }) => letter);
  await act('operator', `dead-letters/${name}/${letters[0]}/discard`, { reason: FORMULA });
  await act('admin', `dead-letters/${name}/${letters[0]}/restore`, { reason: MARKUP });
  const replay = { reason: 'as another', newKey: true, edit: { body: '{"n":1}' } };
  ({ idempotencyKey: newKey = '' } = await act('operator', `dead-letters/${name}/${letters[1]}/replay`, replay));
  const filter = { act: 'discard', destination: name, target: { filter: { code: 'NAME_TAKEN' } } };
  const { frozenAt } = await act('operator', 'operations/plan', filter);
  await act('operator', 'operations', { ...filter, frozenAt, reason: 'all of them', rate: 1000 }, 201);
  await shown(async () =>
    expect((await office.world.as('viewer').get(`/api/audit?destination=${name}`)).text).toContain('operation-done'),
  );
  await act('admin', `destinations/${office.filler.names.mail}/pause`, { reason: 'lunch' });
});
afterAll(() => office?.close());

async function act(
  role: 'operator' | 'admin',
  path: string,
  body: object,
  status = 200,
): Promise<Record<string, string>> {
  const answer = await office.world.as(role).post(`/api/${path}`, body);
  expect(answer.status, answer.text).toBe(status);
  return answer.body as Record<string, string>;
}
const entries = (page: Page) =>
  page
    .getByRole('table', { name: 'Acts, the newest first' })
    .getByRole('row')
    .filter({ has: page.getByRole('cell') });
const words = async (page: Page): Promise<string[]> =>
  (await entries(page).allInnerTexts()).map((row) => row.replaceAll(/\s+/g, ' '));
/** Waits until these acts, and no others, stand there. */
const tells = (page: Page, ...acts: RegExp[]): Promise<void> =>
  shown(async () => expect(await words(page)).toEqual(acts.map((each) => expect.stringMatching(each))));
const filter = (page: Page) => page.getByRole('form', { name: 'Filter the audit' });

test('every act stands there with who, what, why and of what, the newest first, and its text is text', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/audit?destination=${name}`);
  await says(page.getByRole('table'), 'operation done');
  const all = await words(page);
  const order = ['restored', 'discarded'].map((what) => all.findIndex((row) => row.includes(`${what} `)));
  expect(all.filter((row) => /operation (?:created|done)/.test(row))).toHaveLength(2);
  expect(order.every((at) => at >= 0)).toBe(true);
  await says(page, MARKUP);
  await says(page, FORMULA);
  expect(await page.evaluate(() => 'harm' in globalThis)).toBe(false);
  const replayed = entries(page).filter({ hasText: 'as another' });
  for (const each of ['otto', 'replayed', 'edited', 'new key']) await says(replayed, each);
  await says(replayed, new RegExp(`^${name}`));
  const times = await entries(page)
    .getByRole('time')
    .evaluateAll((shownTimes) => shownTimes.map((time) => Date.parse(time.getAttribute('datetime') ?? '')));
  expect(times).toEqual(times.toSorted((a, b) => b - a));
});

test('it is narrowed by destination, act and person; the address alone shows the same', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/audit?destination=${name}`);
  await says(page.getByRole('table'), 'operation created');
  await filter(page).getByLabel('Act', { exact: true }).selectOption('restored');
  await tells(page, /ada restored/);
  await filter(page)
    .getByLabel('Destination')
    .selectOption(office.filler.names.mail ?? '');
  await page.getByRole('heading', { name: 'No act matches' }).waitFor();
  await filter(page).getByLabel('Act', { exact: true }).selectOption('all');
  await tells(page, /ada destination paused lunch/);
  await filter(page).getByLabel('Destination').selectOption(name);
  await filter(page).getByLabel('By whom, exactly').fill('ada');
  await page.keyboard.press('Enter');
  await tells(page, /ada restored/);
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ destination: name, by: 'ada' });
  await page.reload();
  await tells(page, /ada restored/);
  await page.getByRole('link', { name: 'Clear' }).click();
  await shown(async () => expect(new URL(page.url()).search).toBe(''));
  expect(await filter(page).getByLabel('By whom, exactly').inputValue()).toBe('');
});

test('each entry leads to what it is about: the letter, the new key, the operation, its filter, all of its person', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const follow = async (entry: string | RegExp, link: string | RegExp, to: RegExp): Promise<void> => {
    await go(`/audit?destination=${name}`);
    const one = entries(page).filter({ hasText: entry }).first().getByRole('link', { name: link, exact: true });
    await one.click();
    await shown(async () => expect(page.url()).toMatch(to));
    await page.getByRole('heading', { level: 1 }).waitFor();
  };
  await follow(MARKUP, /^letter /, new RegExp(`/letters/${name}/${letters[0]}$`));
  await follow('as another', 'new key', new RegExp(`/find\\?id=${newKey}`));
  await page.getByRole('article', { name: /^Delivered: / }).waitFor();
  await follow('operation created', 'operation', new RegExp(`/operations/${name}/`));
  await says(page, 'all of them');
  await follow('operation created', 'its filter', /\/letters\?.*code=NAME_TAKEN/);
  await follow(MARKUP, 'ada', /\/audit\?by=ada$/);
});

test('it is exported as CSV and NDJSON, as it is narrowed, and no cell is a formula', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/audit?destination=${name}&act=discard&by=otto`);
  await says(page, FORMULA);
  const saved = async (link: string): Promise<string> => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: link }).click(),
    ]);
    return readFile(await download.path(), 'utf8');
  };
  const documents = (await saved('Export NDJSON'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(documents).toHaveLength(await entries(page).count());
  for (const each of documents) expect(each).toMatchObject({ act: 'discard', by: 'otto', destination: name });
  expect(documents).toContainEqual(expect.objectContaining({ reason: FORMULA, letter: letters[0] }));
  const csv = await saved('Export CSV');
  expect(csv).toContain('HYPERLINK');
  expect(csv).not.toMatch(/(?:^|[,\r\n])"?[=+@]/m);
});

test('what is done meanwhile is offered and moves no row', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const mail = office.filler.names.mail ?? '';
  await go(`/audit?destination=${mail}`);
  await tells(page, /destination paused/);
  await page.getByRole('button', { name: 'Live updates: live' }).waitFor();
  await act('admin', `destinations/${mail}/resume`, { reason: 'lunch is over' });
  const offer = page.getByRole('status').filter({ hasText: 'There are newer entries.' });
  await offer.waitFor();
  expect(await entries(page).count()).toBe(1);
  await offer.getByRole('button', { name: 'Show' }).click();
  await tells(page, /ada destination resumed lunch is over/, /ada destination paused lunch/);
});
