// What one takes along: the list as a file, and a group's bundle for the support of an API. By the page's own links.
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, openOffice, says } from '../../support/browser-office.ts';
import { FILLER_API_KEY, says as apiSays } from '../../support/dead-letters-filler.ts';

const SECRET = 'DE89370400440532013000';
const FORMULA = '=HYPERLINK("http://evil.test","open")';
const REQUEST_ID = `req-${crypto.randomUUID()}`;
let office: BrowserOffice;
let name: string;
let letters: string[];

beforeAll(async () => {
  office = await openOffice({ sms: { redact: { body: ['/iban'] } } });
  name = office.filler.names.sms ?? '';
  const dead = await office.filler.die('sms', [
    {
      answers: [apiSays(422, 'VALIDATION_ERROR', { message: FORMULA, requestId: REQUEST_ID })],
      write: { body: { iban: SECRET } },
    },
    { answers: [apiSays(422, 'VALIDATION_ERROR', { message: 'line one\nline "two", with a comma' })] },
    { answers: [apiSays(404, 'NOT_FOUND')] },
  ]);
  letters = dead.map(({ letter }) => letter);
});
afterAll(() => office?.close());

/** Presses a link, and reads what the browser saves: `[its name, its text]`. */
async function saved(page: Page, link: Locator): Promise<[string, string]> {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return [download.suggestedFilename(), await readFile(await download.path(), 'utf8')];
}

/** Of a CSV with a head: quoted cells may hold commas, line feeds and doubled quotes. */
function rowsOf(csv: string): Record<string, string>[] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain = '', end] of csv
    .replace(/^\uFEFF/, '')
    .matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ',') lines.push([]);
  }
  const [head = [], ...rows] = lines;
  return rows
    .filter((cells) => cells.length === head.length)
    .map((cells) => Object.fromEntries(head.map((column, i) => [column, cells[i] ?? ''])));
}

test('the list is exported as CSV, of the filter that is shown, and no cell of it is a formula', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${name}&code=VALIDATION_ERROR`);
  await says(page, '2 open');
  const [file, text] = await saved(page, page.getByRole('link', { name: 'Export CSV' }));
  expect(file).toMatch(/^dead-letters-.+\.csv$/);
  const rows = rowsOf(text);
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(letters.slice(0, 2)));
  expect(rows.find(({ id }) => id === letters[1])).toMatchObject({
    status: '422',
    message: expect.stringContaining('"two", with a comma'),
  });
  const { message } = rows.find(({ id }) => id === letters[0]) ?? {};
  expect(message).toContain('HYPERLINK');
  for (const cell of rows.flatMap((row) => Object.values(row))) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
});

test('the list is exported as NDJSON, a document for each letter, masked', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${name}`);
  await says(page, '3 open');
  const [file, text] = await saved(page, page.getByRole('link', { name: 'Export NDJSON' }));
  expect(file).toMatch(/^dead-letters-.+\.ndjson$/);
  const documents = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; destination: string });
  expect(documents.map(({ id }) => id).toSorted()).toEqual(letters.toSorted());
  expect(documents.every(({ destination }) => destination === name)).toBe(true);
  expect(text).not.toContain(SECRET);
});

test("a group's support bundle holds its request_ids and its requests as cURL, without what is secret", async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/?destination=${name}`);
  const [file, text] = await saved(page, page.getByRole('link', { name: /^Support bundle of VALIDATION_ERROR/ }));
  expect(file).toBe('support-bundle.txt');
  expect(text).toContain('code VALIDATION_ERROR');
  expect(text).toContain(REQUEST_ID);
  expect(text.match(/\bcurl /g)).toHaveLength(2);
  expect(text).not.toContain('NOT_FOUND');
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(FILLER_API_KEY);
});
