// Text of an API that means harm, or that nobody thought of: in the groups, the list and the dialogs it is text.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PHONE, sitDown } from '../../support/browser.ts';
import {
  type BrowserOffice,
  fitsItsWidth,
  lists,
  openOffice,
  rowBoxes,
  says,
  shown,
} from '../../support/browser-office.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

const SCRIPT = '<img src=x onerror="window.harm=1"><script>window.harm=1</script>';
const TEXTS = {
  markup: {
    code: SCRIPT,
    message: `</td></table>${SCRIPT}<h1>You have won</h1>`,
    field: '"><svg onload=window.harm=1>',
  },
  formula: { code: '=1+1', message: '=HYPERLINK("http://evil.test")', field: '@SUM(A1)' },
  long: { code: 'C'.repeat(10_240), message: 'M'.repeat(10_240), field: 'F'.repeat(10_240) },
  reversed: { code: 'A\u202Egnp.exe', message: 'pay \u202E001 \u2066now', field: 'מספר_טלפון' },
  control: { code: 'A\u0000B\u001B[31mC\u200BD', message: 'bell\u0007 null\u0000', field: 'x\u0085y' },
} as const;
type Kind = keyof typeof TEXTS;
const KINDS = Object.keys(TEXTS) as Kind[];

let office: BrowserOffice;
let name: string;
let letters: string[];
beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  const dead = await office.filler.die(
    'sms',
    KINDS.map((kind) => {
      const { code, message, field } = TEXTS[kind];
      return {
        answers: [apiSays(422, code, { message, details: { field } })],
        write: { path: `/v1/${kind}/${encodeURIComponent(SCRIPT)}`, body: { text: SCRIPT } },
      };
    }),
  );
  letters = dead.map(({ letter }) => letter);
});
afterAll(() => office?.close());

/** Nothing of it became an element, and nothing of it ran. */
async function isHarmless(page: Page): Promise<void> {
  expect(await page.evaluate(() => 'harm' in globalThis)).toBe(false);
  expect(await page.locator('main').locator('img, script, iframe, [onload], [onerror]').count()).toBe(0);
  expect(await page.locator('h1').count()).toBe(1);
}

test.each([
  ['groups', '/', {}],
  ['the list', '/letters', {}],
  ['groups on a phone', '/', { viewport: PHONE }],
  ['the list on a phone', '/letters', { viewport: PHONE }],
] as const)('in %s it is shown as it was written, runs nothing, and makes nothing wider', async (_, path, options) => {
  const { page, go } = await sitDown(office.world, 'operator', options);
  await go(`${path}?destination=${name}`);
  await says(page, path === '/' ? /^5 open in 5 groups/ : '5 open');
  const main = page.getByRole('main');
  await says(main, SCRIPT);
  await says(main, '=1+1');
  // What cannot be seen, or turns round what stands beside it, was taken out.
  await says(main, 'A gnp.exe');
  await says(main, 'A B [31mC D');
  expect((await main.innerText()).replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  await says(main, /^C{100,}/);
  await says(main, 'מספר_טלפון');
  await isHarmless(page);
  await fitsItsWidth(page);
  // Each stands in its box: none covers what is beside it.
  const boxes = await main
    .getByText(/^C{100,}/)
    .first()
    .boundingBox();
  expect((boxes?.x ?? -1) + (boxes?.width ?? 9999)).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
});

test('a code that is markup, or 10 KB long, leads by its link and its filter to its own letter', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const links = [SCRIPT, '=1+1', /^C{100,}/, 'A gnp.exe', 'A B [31mC D'];
  for (const [at, text] of links.entries()) {
    await go(`/?destination=${name}`);
    await page.getByRole('heading', { level: 2 }).getByRole('link', { name: text }).click();
    await says(page, '1 open');
    await lists(page, [letters[at] ?? '']);
    await page.reload();
    await says(page, '1 open');
    await isHarmless(page);
    await fitsItsWidth(page);
  }
});

test('a dialog about it holds its width, and says it as text', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/?destination=${name}`);
  const groups = page.getByRole('list', { name: 'Groups' }).getByRole('listitem');
  await shown(async () => expect(await groups.count()).toBe(KINDS.length));
  for (let at = 0; at < KINDS.length; at += 1) {
    await groups
      .nth(at)
      .getByRole('button', { name: /^Replay group/ })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('region', { name: 'Dry run' }).waitFor();
    await dialog.getByText(/letters? of them/).click();
    const { x = -1, width = 9999 } = (await dialog.boundingBox()) ?? {};
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(1280);
    expect(await dialog.evaluate((each) => each.scrollWidth - each.clientWidth)).toBeLessThanOrEqual(0);
    await isHarmless(page);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  }
});

test('the box of a row is named by a code that one can listen to, however long it is', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${name}`);
  await lists(page, letters);
  for (const label of await rowBoxes(page).evaluateAll((all) =>
    all.map((each) => each.getAttribute('aria-label') ?? ''),
  ))
    expect(label.length).toBeLessThan(150);
});
