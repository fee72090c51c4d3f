// A dead write is edited and sent again: by keyboard, byte for byte, under a key of its own, the original kept.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getLetter } from '../../../queue/dead-letters.ts';
import { PHONE, sitDown } from '../../support/browser.ts';
import { type BrowserOffice, fitsItsWidth, hasFocus, openOffice, says, shown } from '../../support/browser-office.ts';
import { type Answer, says as apiSays } from '../../support/dead-letters-filler.ts';

const INVALID = apiSays(422, 'VALIDATION_ERROR', { details: { field: 'phone_number' } });
/** With numbers that no double holds, and white space and escapes that nobody would write twice in the same way. */
const BODY = String.raw`{ "id": 12345678901234567890,
  "price" : 1.10, "odd": "\u00e9\/é  <b>",
  "iban": "DE89370400440532013000",
  "phone_number": "4512345678"
}`;
const SHOWN = BODY.replace('DE89370400440532013000', '[masked 1]');

let office: BrowserOffice;
let name: string;
beforeAll(async () => {
  office = await openOffice({ sms: { redact: { body: ['/iban'], headers: ['x-signature'] } } });
  name = office.filler.names.sms ?? '';
});
afterAll(() => office?.close());

async function die(...answers: Answer[]): Promise<{ key: string; letter: string }> {
  const headers = { 'x-signature': 'sig-7b1f6c2e9d4a', 'x-tenant': 'north' };
  const [dead] = await office.filler.die('sms', [{ answers, write: { path: '/v1/opt-in', headers, body: BODY } }]);
  return dead ?? { key: '', letter: '' };
}
const editor = (page: Page) => page.getByRole('textbox', { name: 'Body, as JSON' });
/** Its lines, as they stand there. */
const textIn = async (page: Page, label: string): Promise<string> =>
  (await page.getByLabel(label, { exact: true }).locator('.cm-line').allTextContents()).join('\n');
const submit = (page: Page) => page.getByRole('button', { name: 'Replay as edited' });
const waitsFor = (page: Page, because: string | RegExp): Promise<void> =>
  shown(async () => {
    expect(await submit(page).getAttribute('aria-disabled')).toBe('true');
    expect(await submit(page).getAttribute('title')).toMatch(because);
  });
const newKeyOn = async (page: Page): Promise<string> =>
  (await page.getByRole('region', { name: 'Replay under a new key' }).getByRole('code').first().textContent()) ?? '';

async function openEdit(letter: string, role: 'viewer' | 'operator' = 'operator', options = {}) {
  const person = await sitDown(office.world, role, options);
  await person.go(`/letters/${name}/${letter}/edit`);
  await editor(person.page).waitFor();
  return person;
}
/** From the head of the editor to the end of a line, from 1. */
async function endOfLine(page: Page, line: number): Promise<void> {
  await page.keyboard.press('ControlOrMeta+Home');
  for (let i = 1; i < line; i += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
}
/** Writes another phone number, with keys alone. */
async function typePhone(page: Page, phone: string): Promise<void> {
  await endOfLine(page, 4);
  await page.keyboard.press('ArrowLeft');
  for (let i = 0; i < '4512345678'.length; i += 1) await page.keyboard.press('Backspace');
  await page.keyboard.type(phone);
}

test('by keyboard alone a field is changed; the API gets the new key that was shown and every other byte as it was', async () => {
  const { key, letter } = await die(INVALID);
  const { page } = await sitDown(office.world, 'operator').then(async (person) => {
    await person.go(`/letters/${name}/${letter}`);
    return person;
  });
  await page.getByRole('link', { name: 'Edit and replay' }).focus();
  await page.keyboard.press('Enter');
  await editor(page).waitFor();
  expect(await textIn(page, 'Body, as JSON')).toBe(SHOWN);
  await waitsFor(page, 'Nothing is changed yet.');
  await page.getByRole('button', { name: 'Undo all changes' }).focus();
  await page.keyboard.press('Tab');
  await hasFocus(editor(page));
  await typePhone(page, '+4587654321');
  // Typed as text: no single key of the page's hears of it.
  expect(await page.getByRole('dialog').count()).toBe(0);
  const edited = SHOWN.replace('4512345678', '+4587654321');
  expect(await textIn(page, 'Body, as JSON')).toBe(edited);
  const differs = page.getByRole('region', { name: 'What differs', exact: true });
  await differs.getByLabel('After', { exact: true }).waitFor();
  expect(await textIn(page, 'Before')).toContain('"phone_number": "4512345678"');
  const after = await textIn(page, 'After');
  expect(after).toContain('"phone_number": "+4587654321"');
  expect(after).toContain('12345678901234567890');
  await waitsFor(page, 'Say why: it stands in the audit.');
  await page.keyboard.press('Tab');
  await shown(async () => expect(await editor(page).and(page.locator(':focus')).count()).toBe(0));
  const newKey = await newKeyOn(page);
  expect(newKey).not.toBe(key);
  const before = await getLetter(office.filler.reader, name, letter);
  await page.getByLabel('Reason').focus();
  await page.keyboard.type('a digit was wrong');
  await page.keyboard.press('Enter');
  await says(page.getByRole('status', { name: 'News' }), /^Replayed as edited\./);
  await shown(async () => expect(office.filler.sent.filter((send) => send.key === newKey)).toHaveLength(1));
  const sent = office.filler.sent.find((send) => send.key === newKey);
  expect(sent?.body).toBe(BODY.replace('4512345678', '+4587654321'));
  expect(sent).toMatchObject({
    path: '/v1/opt-in',
    headers: { 'x-signature': 'sig-7b1f6c2e9d4a', 'x-tenant': 'north' },
  });
  expect(office.filler.sent.filter((send) => send.key === key)).toHaveLength(1);
  // The dead letter keeps the write as it was, and is linked to the new one.
  await says(
    page.getByRole('region', { name: 'What happened' }),
    /^otto replayed it under a new key with an edited write$/,
  );
  await says(page.getByRole('region', { name: 'Body of the write' }), '"4512345678"');
  const kept = await getLetter(office.filler.reader, name, letter);
  expect(kept?.write).toEqual(before?.write);
  expect(kept?.write?.body).toBe(BODY);
  await page.getByRole('link', { name: newKey }).click();
  await page.getByRole('article', { name: /^Delivered: POST / }).waitFor();
});

test('path and headers are edited too: what is left as it was is sent as it was, a masked header with its value', async () => {
  const { letter } = await die(INVALID);
  const { page } = await openEdit(letter);
  await page.getByLabel('Path (POST)').fill('/v2/opt-in?list=1');
  await page.getByLabel('Value of x-tenant').fill('south');
  expect(await page.getByLabel('Value of x-signature').inputValue()).toBe('[masked x-signature]');
  await page.getByRole('button', { name: 'Add a header' }).click();
  await page.getByLabel('Name of header 3').fill('x tra');
  await says(page, 'x tra is no header name');
  await waitsFor(page, 'x tra is no header name');
  await page.getByLabel('Name of header 3').fill('x-tra');
  await page.getByLabel('Value of x-tra').fill('1');
  const differs = page.getByRole('region', { name: 'What differs', exact: true });
  for (const words of ['/v1/opt-in', '/v2/opt-in?list=1', 'north', 'south']) await says(differs, words);
  const newKey = await newKeyOn(page);
  await page.getByLabel('Reason').fill('the other list');
  await submit(page).click();
  await shown(async () => expect(office.filler.sent.map((send) => send.key)).toContain(newKey));
  expect(office.filler.sent.find((send) => send.key === newKey)).toMatchObject({
    path: '/v2/opt-in?list=1',
    headers: { 'x-signature': 'sig-7b1f6c2e9d4a', 'x-tenant': 'south', 'x-tra': '1' },
    body: BODY,
  });
});

test('a mask in another place than its own is refused with words, and what was typed stays', async () => {
  const { letter } = await die(INVALID);
  const { page } = await openEdit(letter);
  await editor(page).focus();
  await typePhone(page, '[masked 1]');
  await page.getByLabel('Reason').fill('to read it at the API');
  const sends = office.filler.sent.length;
  await submit(page).click();
  const alert = page.getByRole('alert');
  await says(alert, 'MASK_MISPLACED');
  await says(alert, /body\/phone_number/);
  await says(alert, /^request_id [\w-]+/);
  expect(await textIn(page, 'Body, as JSON')).toContain('"phone_number": "[masked 1]"');
  expect(office.filler.sent).toHaveLength(sends);
  expect((await getLetter(office.filler.reader, name, letter))?.state).toBe('open');
});

test('a body that is no JSON is not sent: the page says what was expected, and where', async () => {
  const { letter } = await die(INVALID);
  const { page } = await openEdit(letter);
  await editor(page).focus();
  await endOfLine(page, 2);
  await page.keyboard.press('Backspace');
  const fault = /^Line 3, column 3: expected a comma or the end of the list/;
  await page.getByRole('status').filter({ hasText: fault }).waitFor();
  await waitsFor(page, fault);
  await page.keyboard.press('ControlOrMeta+z');
  await waitsFor(page, 'Nothing is changed yet.');
  // Laid out anew it says the same, in other bytes.
  await page.getByRole('button', { name: 'Lay out' }).click();
  await says(page, 'The body differs in white space alone.');
  await shown(async () =>
    expect(await textIn(page, 'Body, as JSON')).toContain('  "id": 12345678901234567890,\n  "price": 1.10,'),
  );
  await page.getByRole('button', { name: 'Undo all changes' }).click();
  await says(page, 'Nothing yet.');
  await shown(async () => expect(await textIn(page, 'Body, as JSON')).toBe(SHOWN));
});

test('a write in doubt is edited and sent only when “applied twice” was typed', async () => {
  const { letter } = await die('reset');
  const { page } = await openEdit(letter);
  await editor(page).focus();
  await typePhone(page, '4511111111');
  await page.getByLabel('Reason').fill('they have it not');
  await says(page, 'IN_DOUBT');
  await waitsFor(page, 'Type: applied twice');
  const newKey = await newKeyOn(page);
  await page.getByLabel(/^Type .applied twice. to accept that/).fill('applied twice');
  await submit(page).click();
  await says(page, /^otto replayed it under a new key with an edited write accepting that it may be applied twice$/);
  await shown(async () => expect(office.filler.sent.map((send) => send.key)).toContain(newKey));
});

test('whoever edits what another has handled meanwhile is told who, and keeps what he typed', async () => {
  const { letter } = await die(INVALID);
  const { page } = await openEdit(letter);
  await editor(page).focus();
  await typePhone(page, '4522222222');
  await page.getByLabel('Reason').fill('mine');
  const answer = await office.world.as('admin').post(`/api/dead-letters/${name}/${letter}/discard`, { reason: 'hers' });
  expect(answer.status, answer.text).toBe(200);
  await submit(page).click();
  await says(page.getByRole('alert'), /^Already discarded by ada (?:just now|\d+ s ago)\.$/);
  expect(await textIn(page, 'Body, as JSON')).toContain('4522222222');
  await waitsFor(page, 'It is discarded already.');
});

test('a viewer may look at it and send nothing; on a phone the diff is one column and nothing is wider than the page', async () => {
  const { letter } = await die(INVALID);
  const { page } = await openEdit(letter, 'viewer', { viewport: PHONE });
  await editor(page).focus();
  await typePhone(page, '4533333333');
  await waitsFor(page, 'Needs the role operator.');
  await page.getByLabel('After, with what was removed').waitFor();
  await fitsItsWidth(page);
});
