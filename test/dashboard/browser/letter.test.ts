// One dead letter: all that somebody needs to see why it died and what to do, and to take it along.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainWait } from '../../../core/back-off.ts';
import { getLetter } from '../../../queue/dead-letters.ts';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, fact, hasFocus, openOffice, says, shown } from '../../support/browser-office.ts';
import { FILLER_API_KEY, says as apiSays } from '../../support/dead-letters-filler.ts';

const IBAN = 'DE89370400440532013000';
const SIGNATURE = 'sig-7b1f6c2e9d4a';
const REQUEST_IDS = ['one', 'two', 'three'].map((which) => `req-${which}-${crypto.randomUUID()}`);
const [FIRST_ID, SECOND_ID, LAST_ID] = REQUEST_IDS;

let office: BrowserOffice;
let name: string;
let letter: string;
beforeAll(async () => {
  office = await openOffice({
    sms: {
      redact: { body: ['/iban'], headers: ['x-signature'] },
      retry: { baseMs: 5, capMs: 20, retryAfterCapMs: 50 },
    },
    // Its keys live for less than a minute.
    brief: { idempotency: { ttlMs: 60_000 } },
  });
  name = office.filler.names.sms ?? '';
  const [dead] = await office.filler.die('sms', [
    {
      answers: [
        apiSays(429, 'RATE_LIMITED', { headers: { 'retry-after': '1' }, ...(FIRST_ID && { requestId: FIRST_ID }) }),
        apiSays(503, 'UNAVAILABLE', { headers: { 'retry-after': '0' }, ...(SECOND_ID && { requestId: SECOND_ID }) }),
        apiSays(422, 'VALIDATION_ERROR', {
          message: `${IBAN} is no number`,
          details: { field: 'phone_number', least: 12345678901234567890n.toString() },
          ...(LAST_ID && { requestId: LAST_ID }),
        }),
      ],
      write: {
        path: '/v1/subscriptions/opt-in?list=7',
        headers: { 'x-signature': SIGNATURE, 'x-tenant': 'north' },
        body: { phone_number: '+4512345678', iban: IBAN, customer: 77 },
      },
      options: { maxAttempts: 3 },
    },
  ]);
  letter = dead?.letter ?? '';
});
afterAll(() => office?.close());

const card = (page: Page, title: string) => page.getByRole('region', { name: title, exact: true });
const open = async (role: 'viewer' | 'operator' = 'operator') => {
  const person = await sitDown(office.world, role);
  await person.go(`/letters/${name}/${letter}`);
  await person.page.getByRole('heading', { level: 1, name: /VALIDATION_ERROR/ }).waitFor();
  return person;
};

test('the answer of the API stands there as labelled fields, with what to do about its code', async () => {
  const { page } = await open('viewer');
  const answer = card(page, 'What the API answered');
  const text = async (field: string): Promise<string> => (await fact(answer, field).innerText()).split('\n')[0] ?? '';
  expect(await text('status')).toBe('422');
  expect(await text('code')).toBe('VALIDATION_ERROR');
  expect(await text('message')).toBe('[redacted] is no number');
  expect(await text('field')).toBe('phone_number');
  expect(await text('request_id')).toBe(LAST_ID);
  await says(fact(answer, 'details'), '"12345678901234567890"');
  await says(answer, /^The API does not take the field phone_number\. Edit it and replay under a new key/);
  await says(page.getByRole('main'), 'rejected');
  await says(page, /· 3 attempts/);
});

test('the timeline tells each attempt with its request_id and worker, and why it waited that long', async () => {
  const stored = await getLetter(office.filler.reader, name, letter);
  const waits = (stored?.journal.attempts ?? []).flatMap(({ wait }) => (wait ? [explainWait(wait)] : []));
  expect(waits).toEqual([
    expect.stringMatching(/^0\.05 s = Retry-After; base 5 \+ jitter [01] was shorter$/),
    expect.stringMatching(/^0\.01 s = base 10 \+ jitter [0-2]; Retry-After 0 s was shorter$/),
  ]);
  const { page } = await open('viewer');
  const steps = card(page, 'What happened').getByRole('listitem');
  await shown(async () => expect(await steps.count()).toBe(5));
  const titles = ['Enqueued', 'Attempt 1', 'Attempt 2', 'Attempt 3', 'Given up: rejected'];
  for (const [at, title] of titles.entries()) {
    const step = steps.nth(at);
    await says(step, title);
    expect(await step.getByRole('time').first().getAttribute('datetime')).toMatch(/Z$/);
    if (!title.startsWith('Attempt')) continue;
    await says(step, ['429 RATE_LIMITED', '503 UNAVAILABLE', '422 VALIDATION_ERROR'][at - 1] ?? '');
    await says(step, 'automatic');
    await says(step, REQUEST_IDS[at - 1] ?? '');
    expect(await fact(step, 'took').innerText()).toMatch(/^[\d.]+ m?s$/);
    expect(await fact(step, 'outcome').innerText()).toBe('answered');
    expect(await fact(step, 'worker').innerText()).toContain(String(process.pid));
    const wait = waits[at - 1];
    if (wait === undefined) expect(await step.getByText('then waited').count()).toBe(0);
    else await says(step, wait);
  }
  await steps.nth(3).getByText('Response body').click();
  const body = steps.nth(3).getByRole('region', { name: 'Response body of attempt 3' });
  await says(body, '"VALIDATION_ERROR"');
  expect(await body.innerText()).not.toContain(IBAN);
});

test('the write stands there with its masked values marked, and neither they nor the credential anywhere on the page', async () => {
  const { page } = await open('viewer');
  const write = card(page, 'The write');
  await says(write, 'POST');
  await says(write, '/v1/subscriptions/opt-in?list=7');
  await says(write, 'Masked values are kept as they are, and are not shown here.');
  expect(await fact(write, 'x-tenant').innerText()).toBe('north');
  expect(await fact(write, 'x-signature').innerText()).toContain('[masked x-signature]');
  const body = write.getByRole('region', { name: 'Body of the write' });
  const mask = body.getByTitle(/^Masked: /);
  expect(await mask.allInnerTexts()).toEqual(['"[masked 1]"']);
  await says(body, '"+4512345678"');
  const html = await page.content();
  for (const secret of [IBAN, SIGNATURE, FILLER_API_KEY]) expect(html).not.toContain(secret);
});

test('the verdict stands there with what it rests on', async () => {
  const { page } = await open('viewer');
  const verdict = card(page, 'Verdict');
  await says(verdict, 'not applied');
  await says(verdict, 'the API did not apply it');
  await says(verdict, /^attempt 3: 422 VALIDATION_ERROR; the API says so after looking the key up/);
});

test('request_ids, the request as cURL and the letter as JSON are copied, also where the page came by plain http', async () => {
  const { port } = new URL(office.world.url);
  const url = `http://waybill.test:${port}/`;
  const { page, go, wrong } = await sitDown({ ...office.world, url }, 'viewer');
  await go(`/letters/${name}/${letter}`);
  await page.getByRole('heading', { level: 1, name: /VALIDATION_ERROR/ }).waitFor();
  expect(await page.evaluate('isSecureContext')).toBe(false);
  expect(await page.evaluate('typeof navigator.clipboard')).toBe('undefined');
  // Another page, which may look at what was copied.
  await page.context().grantPermissions(['clipboard-read'], { origin: office.world.origin });
  const beside = await page.context().newPage();
  await beside.goto(office.world.url);
  const copied = async (button: string): Promise<string> => {
    await page.bringToFront();
    const one = page.getByRole('button', { name: button, exact: true }).first();
    await one.click();
    await says(page.getByRole('status', { name: 'News' }), button.replace('Copy', 'Copied:'));
    await hasFocus(one);
    await beside.bringToFront();
    return beside.evaluate('navigator.clipboard.readText()');
  };
  expect(await copied('Copy request_id')).toBe(LAST_ID);
  expect(await copied('Copy request_id of attempt 1')).toBe(FIRST_ID);
  expect(await copied('Copy 3 request_ids')).toBe(REQUEST_IDS.toReversed().join('\n'));
  const curl = await copied('Copy as cURL');
  expect(curl).toMatch(/^curl /);
  for (const part of ['/v1/subscriptions/opt-in?list=7', 'x-tenant: north', '[masked 1]', '$API_KEY'])
    expect(curl).toContain(part);
  const json = await copied('Copy JSON of this letter');
  expect(JSON.parse(json)).toMatchObject({
    letter: { id: letter, destination: name, requestId: LAST_ID },
    envelope: { code: 'VALIDATION_ERROR' },
    journal: { attempts: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] },
  });
  for (const secret of [IBAN, SIGNATURE, FILLER_API_KEY]) expect(curl + json).not.toContain(secret);
  // By plain http a browser says so of each document, and nothing else is wrong.
  for (const said of wrong.splice(0)) expect(said).toMatch(/^The Cross-Origin-Opener-Policy header has been ignored/);
});

test('the life of its key counts down, and says for each key whether a replay may send it', async () => {
  const [dead] = await office.filler.die('brief', [{ answers: ['reset'] }]);
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters/${office.filler.names.brief}/${dead?.letter}`);
  const key = card(page, 'Idempotency key');
  await says(key, dead?.key ?? '');
  const life = fact(key, 'Life');
  const secondsLeft = async (): Promise<number> => {
    const [, seconds = ''] = /^usable for (\d+(?:\.\d)?) s$/.exec(await life.innerText()) ?? [];
    return Number.parseFloat(seconds);
  };
  let before = NaN;
  await shown(async () => {
    before = await secondsLeft();
    expect(before).toBeLessThan(60);
  });
  await shown(async () => expect(await secondsLeft()).toBeLessThan(before));
  const ruling = (which: string) =>
    key.getByRole('term').filter({ hasText: which }).locator('xpath=following-sibling::dd[1]/..');
  await says(ruling('Replay under its own key'), 'allowed');
  await says(ruling('Replay under a new key'), 'needs your word');
  await says(ruling('Replay under a new key'), 'IN_DOUBT');
});

test('r replays, d discards and e edits; the focus comes back to where it was, and a viewer’s keys do nothing', async () => {
  const { page } = await open();
  const cases = [
    ['r', 'Replay this write'],
    ['d', 'Discard this dead letter'],
  ] as const;
  for (const [key, title] of cases) {
    await page.getByRole('button', { name: 'Copy as cURL' }).focus();
    await page.keyboard.press(key);
    const dialog = page.getByRole('dialog', { name: title });
    await dialog.waitFor();
    // The focus stays inside, however often one goes on.
    for (let i = 0; i < 12; i += 1) await page.keyboard.press('Tab');
    expect(await page.locator(':focus:not(dialog *)').count()).toBe(0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await hasFocus(page.getByRole('button', { name: 'Copy as cURL' }));
  }
  const button = page.getByRole('button', { name: 'Discard…' });
  await button.click();
  await page.getByRole('button', { name: 'Close dialog' }).click();
  await hasFocus(button);
  await page.keyboard.press('e');
  await page.getByRole('heading', { level: 1, name: 'Edit and replay' }).waitFor();

  const viewer = await open('viewer');
  for (const key of ['r', 'd', 'e']) await viewer.page.keyboard.press(key);
  await says(viewer.page, /to replay, edit or discard needs the role operator/);
  expect(await viewer.page.getByRole('dialog').count()).toBe(0);
  expect(new URL(viewer.page.url()).pathname).toBe(`/letters/${name}/${letter}`);
});

test('a letter that is not there is told by code and request_id, and the page stays one that can be used', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const answered = page.waitForResponse((response) => response.url().includes('/api/dead-letters/'));
  await go(`/letters/${name}/wnone.g0`);
  const alert = page.getByRole('alert');
  await says(alert, 'NOT_FOUND');
  await says(alert, /^no dead letter "wnone\.g0"/);
  const { request_id } = (await (await answered).json()) as { request_id: string };
  await says(alert, request_id);
  await alert.getByRole('button', { name: 'Copy request_id of the error' }).waitFor();
  await page.getByRole('link', { name: 'All dead letters' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.goBack();
  // An address that nothing of the page's has.
  await go('/nowhere');
  await page.getByRole('heading', { name: 'Nothing stands at this address' }).waitFor();
  await page.getByRole('link', { name: 'To the dead letters' }).click();
  await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
});
