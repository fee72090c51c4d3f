// Text of an API that means harm, or that nobody thought of, where one letter is shown in full: it is text there too.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PHONE, sitDown } from '../../support/browser.ts';
import { type BrowserOffice, fact, fitsItsWidth, openOffice, says, shown } from '../../support/browser-office.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

const SCRIPT = '<img src=x onerror="window.harm=1"><script>window.harm=1</script>';
const TEXTS = {
  markup: { code: SCRIPT, message: `</dd></dl>${SCRIPT}<h1>You have won</h1>`, field: '"><svg onload=window.harm=1>' },
  long: { code: 'C'.repeat(10_240), message: 'M'.repeat(10_240), field: 'F'.repeat(10_240) },
  reversed: { code: 'A\u202Egnp.exe', message: 'pay \u202E001 \u2066now', field: 'מספר_טלפון' },
  control: { code: 'A\u0000B\u001B[31mC\u200BD', message: 'bell\u0007 null\u0000', field: 'x\u0085y' },
} as const;
type Kind = keyof typeof TEXTS;
const KINDS = Object.keys(TEXTS) as Kind[];

let office: BrowserOffice;
let name: string;
const letters = {} as Record<Kind, string>;
beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  const dead = await office.filler.die(
    'sms',
    KINDS.map((kind) => {
      const { code, message, field } = TEXTS[kind];
      return {
        answers: [apiSays(422, code, { message, details: { field }, requestId: `req-${kind}-<b>` })],
        write: {
          path: `/v1/${kind}/${encodeURIComponent(SCRIPT)}`,
          headers: { 'x-note': SCRIPT },
          body: { text: SCRIPT, turned: message, [field]: 1 },
        },
      };
    }),
  );
  for (const [at, kind] of KINDS.entries()) letters[kind] = dead[at]?.letter ?? '';
});
afterAll(() => office?.close());

const card = (page: Page, title: string) => page.getByRole('region', { name: title, exact: true });

/** Nothing of it became an element, nothing ran, nothing that one cannot see is left, and it has its place. */
async function isHarmless(page: Page): Promise<void> {
  expect(await page.evaluate(() => 'harm' in globalThis)).toBe(false);
  const main = page.getByRole('main');
  expect(await main.locator('img, script, iframe, [onload], [onerror]').count()).toBe(0);
  expect(await page.locator('h1').count()).toBe(1);
  expect((await main.innerText()).replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\u200B\u202A-\u202E\u2066-\u2069]/u);
  expect(await page.title()).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
  await fitsItsWidth(page);
  for (const box of await page.getByRole('region').all()) {
    const { x = -1, width = 9999 } = (await box.boundingBox()) ?? {};
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
  }
}

test.each([
  ['', {}],
  [', on a phone', { viewport: PHONE }],
] as const)('in one letter it is shown as text, runs nothing and makes nothing wider%s', async (_, options) => {
  const { page, go } = await sitDown(office.world, 'operator', options);
  const open = async (kind: Kind): Promise<ReturnType<typeof card>> => {
    await go(`/letters/${name}/${letters[kind]}`);
    const answer = card(page, 'What the API answered');
    await answer.waitFor();
    await card(page, 'What happened').getByText('Response body').click();
    await page.getByRole('region', { name: 'Response body of attempt 1' }).waitFor();
    await isHarmless(page);
    return answer;
  };
  const markup = await open('markup');
  expect(await fact(markup, 'code').innerText()).toBe(SCRIPT);
  expect(await fact(markup, 'message').innerText()).toContain(`</dd></dl>${SCRIPT}`);
  await says(page.getByRole('region', { name: 'Body of the write' }), JSON.stringify(SCRIPT));
  expect(await fact(card(page, 'The write'), 'x-note').innerText()).toBe(SCRIPT);

  const long = await open('long');
  await says(fact(long, 'code'), /^C{100,}/);
  const whole = fact(long, 'message').getByRole('button', { name: /^Show all / });
  await whole.click();
  // As much as is kept of a message.
  await shown(async () => expect(await fact(long, 'message').innerText()).toMatch(/^M{1900,2000}/));
  await isHarmless(page);

  const reversed = await open('reversed');
  expect(await fact(reversed, 'code').innerText()).toBe('A gnp.exe');
  // Told apart from what stands around it.
  expect(await fact(reversed, 'field').locator('bdi').getAttribute('dir')).toBe('auto');
  await says(reversed, 'מספר_טלפון');

  const control = await open('control');
  expect(await fact(control, 'code').innerText()).toBe('A B [31mC D');
});

test('in the editor and its diff, in the dialogs and in what finds a write it is text too', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  for (const kind of KINDS) {
    await go(`/letters/${name}/${letters[kind]}/edit`);
    const editor = page.getByRole('textbox', { name: 'Body, as JSON' });
    await editor.waitFor();
    await editor.focus();
    await page.keyboard.press('ControlOrMeta+End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.type(',"more":1');
    await page.getByRole('region', { name: 'What differs in the body' }).waitFor();
    expect(await page.evaluate(() => 'harm' in globalThis)).toBe(false);
    await fitsItsWidth(page);
    await go(`/letters/${name}/${letters[kind]}`);
    await page.getByRole('button', { name: 'Replay…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    expect(await dialog.evaluate((each) => each.scrollWidth - each.clientWidth)).toBeLessThanOrEqual(0);
    await go(`/find?id=${letters[kind]}`);
    await page.getByRole('article', { name: /^Dead: POST / }).waitFor();
    await isHarmless(page);
  }
});
