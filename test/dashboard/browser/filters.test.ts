// Filters and the search: one filter, which the form, the address and the list have in common.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, hasFocus, idsOf, lists, openOffice, says, shown } from '../../support/browser-office.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
let sms: string;
let mail: string;
/** By a name that says what is odd about it. */
const letters: Record<string, string> = {};
const REQUEST_ID = `req-${crypto.randomUUID()}`;
const KEY = `order-${crypto.randomUUID()}`;
let jobId: string;

beforeAll(async () => {
  office = await openOffice({ sms: {}, mail: {} });
  const { filler, world } = office;
  sms = filler.names.sms ?? '';
  mail = filler.names.mail ?? '';
  const invalid = (field: string) => apiSays(422, 'VALIDATION_ERROR', { details: { field } });
  const [phone, email, missing, twice, doubt, again] = await filler.die('sms', [
    { answers: [invalid('phone_number')] },
    { answers: [invalid('email')] },
    {
      answers: [apiSays(404, 'NOT_FOUND', { requestId: REQUEST_ID, message: 'nobody of that name' })],
      write: { idempotencyKey: KEY, path: '/v1/people', body: { who: 'Ørsted' } },
    },
    { answers: [apiSays(503, 'UNAVAILABLE'), apiSays(503, 'UNAVAILABLE')], options: { maxAttempts: 2 } },
    { answers: ['reset'] },
    { answers: [apiSays(409, 'CONFLICT_STATE'), apiSays(409, 'CONFLICT_STATE')] },
  ]);
  const [post] = await filler.die('mail', [{ answers: [apiSays(401, 'INVALID_API_KEY')] }]);
  jobId = missing?.jobId ?? '';
  Object.assign(letters, {
    phone: phone?.letter,
    email: email?.letter,
    missing: missing?.letter,
    twice: twice?.letter,
    doubt: doubt?.letter,
    post: post?.letter,
    // It dies once more, in its next generation.
    again: again?.letter.replace(/\.g0$/, '.g1'),
  });
  const answer = await world.as('operator').post(`/api/dead-letters/${sms}/${again?.letter}/replay`, { reason: 'try' });
  expect(answer.status, answer.text).toBe(200);
  await shown(async () =>
    expect((await world.as('viewer').get(`/api/dead-letters/${sms}/${letters.again}`)).status).toBe(200),
  );
});
afterAll(() => office?.close());

const only = (...names: string[]): string[] => names.map((name) => letters[name] ?? '');
const OF_SMS = ['phone', 'email', 'missing', 'twice', 'doubt', 'again'];
const others = (...names: string[]): string[] => only(...OF_SMS.filter((name) => !names.includes(name)));
const filterBar = (page: Page) => page.getByRole('region', { name: 'Filter' });
const queryOf = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams);
const apply = (page: Page) => filterBar(page).getByRole('button', { name: 'Apply' }).click();
const hoursFromNow = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16);

test(
  'every filter of the form means its letters, stands in the address, and can be taken away',
  { timeout: 60_000 },
  async () => {
    const { page, go } = await sitDown(office.world, 'viewer', { timezoneId: 'UTC' });
    await go(`/letters?destination=${sms}`);
    await lists(page, only(...OF_SMS));
    await filterBar(page)
      .getByRole('button', { name: /^Filter/ })
      .click();
    const form = filterBar(page);
    const cases: [label: string, value: string, query: object, shows: string[]][] = [
      ['Code', 'VALIDATION_ERROR', { code: 'VALIDATION_ERROR' }, only('phone', 'email')],
      ['Field', 'email', { field: 'email' }, only('email')],
      ['Without', 'a field', { without: 'field' }, others('phone', 'email')],
      ['Status', '503', { status: '503' }, only('twice')],
      ['Reason', 'attempts exhausted', { reason: 'exhausted' }, only('twice', 'doubt')],
      ['Verdict', 'in doubt', { verdict: 'in-doubt' }, only('doubt')],
      ['Attempts', '2', { attempts: '2' }, only('twice')],
      ['Replayed before', 'yes', { replayed: 'yes' }, only('again')],
      ['Replayed before', 'no', { replayed: 'no' }, others('again')],
      ['Died since', hoursFromNow(-1), { since: expect.any(String) }, only(...OF_SMS)],
      ['Died since', hoursFromNow(1), {}, []],
      ['Died before', hoursFromNow(1), { before: expect.any(String) }, only(...OF_SMS)],
      ['Died before', hoursFromNow(-1), {}, []],
      ['Text', 'nobody of', { q: 'nobody of' }, only('missing')],
      ['State', 'replayed', { state: 'replayed' }, [(letters.again ?? '').replace('.g1', '.g0')]],
    ];
    for (const [label, value, query, shows] of cases) {
      const control = form.getByLabel(label, { exact: true });
      const isSelect = (await control.evaluate((each) => each.tagName)) === 'SELECT';
      await (isSelect ? control.selectOption({ label: value }) : control.fill(value));
      await apply(page);
      await lists(page, shows, `${label} ${value}`);
      expect(queryOf(page)).toMatchObject({ destination: sms, ...query });
      if (shows.length === 0) await page.getByRole('heading', { name: 'No match' }).waitFor();
      await form.getByRole('button', { name: `Remove the filter ${CHIPS[label] ?? label.toLowerCase()}` }).click();
      await lists(page, only(...OF_SMS), `without ${label}`);
      expect(queryOf(page)).toEqual({ destination: sms });
    }
    await form.getByLabel('Destination', { exact: true }).selectOption(mail);
    await apply(page);
    await lists(page, only('post'));
  },
);
/** Where a chip has another name than the form's label. */
const CHIPS: Record<string, string> = { 'Died since': 'since', 'Died before': 'before' };

test('filters are combined, and the address alone shows the same to somebody else, also after loading it again', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${sms}`);
  await filterBar(page)
    .getByRole('button', { name: /^Filter/ })
    .click();
  const form = filterBar(page);
  await form.getByLabel('Code').fill('VALIDATION_ERROR');
  await form.getByLabel('Field').fill('email');
  await form.getByLabel('Status').fill('422');
  await form.getByLabel('Verdict').selectOption({ label: 'not applied' });
  await form.getByLabel('Attempts').fill('1');
  await form.getByLabel('Attempts').press('Enter');
  await lists(page, only('email'));
  await says(page, '1 open');
  await page.reload();
  await lists(page, only('email'));
  const other = await sitDown(office.world, 'operator');
  await other.page.goto(page.url());
  await lists(other.page, only('email'));
  for (const chip of ['code', 'field', 'status', 'verdict', 'attempts'])
    await other.page.getByRole('button', { name: `Remove the filter ${chip}` }).waitFor();
  await other.page.getByRole('button', { name: 'Clear the filters' }).click();
  await shown(async () => expect(queryOf(other.page)).toEqual({}));
});

test('a value that no letter can have is refused where it is typed; a filter that means none says so and can be cleared', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${sms}&code=NEVER_SEEN`);
  await page.getByRole('heading', { name: 'No match' }).waitFor();
  await filterBar(page)
    .getByRole('button', { name: /^Filter/ })
    .click();
  const status = filterBar(page).getByLabel('Status');
  await status.fill('42');
  await says(page, 'That is no possible value');
  expect(await status.getAttribute('aria-invalid')).toBe('true');
  await apply(page);
  expect(queryOf(page)).toEqual({ destination: sms, code: 'NEVER_SEEN' });
  await page.getByRole('link', { name: 'Clear the filters' }).click();
  // Letters of other destinations, too: some of them are shown.
  await shown(async () => expect((await idsOf(page)).length).toBeGreaterThan(0));
  expect(queryOf(page)).toEqual({});
});

test('slash goes to the search, and there a key, an id or a request_id leads straight to its dead letter', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const search = page.getByRole('searchbox');
  for (const sought of [KEY, REQUEST_ID, jobId]) {
    await go(`/?destination=${sms}`);
    await says(page, /open in \d groups/);
    await page.keyboard.press('/');
    await hasFocus(search);
    await page.keyboard.type(sought);
    await page.keyboard.press('Enter');
    await shown(async () => expect(new URL(page.url()).pathname).toBe(`/letters/${sms}/${letters.missing}`));
    await says(page, 'NOT_FOUND');
  }
});

test('any other text is searched for in message, path and body, and the page says how far it looked', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  for (const part of ['body of that name', 'BODY OF', 'v1/people', 'ørsted']) {
    await go(`/?destination=${sms}`);
    await says(page, /open in \d groups/);
    await page.getByRole('searchbox').fill(part);
    await page.keyboard.press('Enter');
    await shown(async () => expect(queryOf(page)).toEqual({ destination: sms, q: part }));
    await lists(page, only('missing'), part);
    await says(page, /^6 letters were gone through/);
  }
});

test('dragging over the bars of time means what died in that time, by an address', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${sms}&since=${Date.now() - 3_600_000}`);
  const bars = page.getByRole('img', { name: /^Deaths over time: 6 dead letters in / });
  const { x, y, width, height } = (await bars.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(x + 1, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.up();
  await page.getByRole('heading', { name: 'No match' }).waitFor();
  const { since = '', before = '' } = queryOf(page);
  expect(Number(before) - Number(since)).toBeGreaterThan(1_500_000);
  await page.goBack();
  await lists(page, only(...OF_SMS));
});

test('the destination that is chosen at the top holds for the view that is shown, and for the next', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${sms}&status=503`);
  await lists(page, only('twice'));
  const choice = page.getByRole('banner').getByRole('combobox', { name: 'Destination' });
  await choice.selectOption(mail);
  await page.getByRole('heading', { name: 'No match' }).waitFor();
  expect(queryOf(page)).toEqual({ destination: mail, status: '503' });
  await page.getByRole('link', { name: 'Groups' }).click();
  await says(page, /^1 open in 1 group/);
  expect(queryOf(page)).toEqual({ destination: mail });
  expect(await choice.inputValue()).toBe(mail);
});
