// A session that ends, or changes, under somebody's hands: what he was doing is not lost with it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeFindings, sitDown } from '../../support/browser.ts';
import { type BrowserOffice, hasFocus, lists, openOffice, says, shown } from '../../support/browser-office.ts';
import { TOKENS } from '../../support/dashboard-world.ts';
import { usual } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
let name: string;
let letters: string[];
beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  letters = (await office.filler.die('sms', usual(4))).map(({ letter }) => letter);
});
afterAll(() => office?.close());

const actsOn = async (letter: string | undefined): Promise<object[]> => {
  const { body } = await office.world.as('viewer').get(`/api/dead-letters/${name}/${letter}`);
  return (body as { acts: object[] }).acts;
};

test('an edit outlives its session: one signs in above it and sends it, under the key that was shown', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/letters/${name}/${letters[0]}/edit`);
  await page.getByLabel(/^Path/).fill('/v1/mended');
  await page.getByLabel('Reason').fill('it was the path');
  const key = await page.getByRole('region', { name: 'Replay under a new key' }).locator('code').textContent();
  await page.context().clearCookies();
  const send = page.getByRole('button', { name: 'Replay as edited' });
  await send.click();
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await hasFocus(dialog.getByLabel('Token'));
  expect(await axeFindings(page)).toEqual([]);
  // Put away, it comes back with the next try.
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await send.click();
  await dialog.getByLabel('Token').fill('a token that nobody holds');
  await page.keyboard.press('Enter');
  await says(dialog.getByRole('alert'), 'UNAUTHENTICATED');
  await dialog.getByLabel('Token').fill(TOKENS.operator);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  expect(await page.getByLabel(/^Path/).inputValue()).toBe('/v1/mended');
  await send.click();
  await page.getByRole('status', { name: 'News' }).getByText('Replayed as edited.').waitFor();
  expect(await actsOn(letters[0])).toMatchObject([
    { by: 'otto', reason: 'it was the path', newKey: { idempotencyKey: key } },
  ]);
});

test('where another person signs in, nothing is left of what the one before had written', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go(`/letters/${name}/${letters[1]}/edit`);
  await page.getByLabel(/^Path/).fill('/v1/private');
  await page.getByLabel('Reason').fill('mine');
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Replay as edited' }).click();
  await page.getByLabel('Token').fill(TOKENS.admin);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Settings of ada' }).waitFor();
  await shown(async () => expect(await page.getByLabel('Reason').inputValue()).toBe(''));
  expect(await page.getByLabel(/^Path/).inputValue()).not.toBe('/v1/private');
});

test('after another tab has signed in anew an act is done all the same, and once; as another person it is refused', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  const discard = async (letter: string | undefined): Promise<void> => {
    await go(`/letters/${name}/${letter}`);
    await page.getByRole('button', { name: 'Discard…' }).click();
    const reason = page.getByRole('dialog').getByLabel('Reason');
    await hasFocus(reason);
    await reason.fill('not wanted');
  };
  const elsewhere = async (role: 'operator' | 'admin'): Promise<void> => {
    const { cookie } = await office.world.enter(role);
    const [, value = ''] = /^[^=]+=(.*)$/.exec(cookie) ?? [];
    await page
      .context()
      .addCookies([{ name: 'waybill_session', value, url: office.world.url, httpOnly: true, sameSite: 'Strict' }]);
  };
  await discard(letters[2]);
  await elsewhere('operator');
  await page.keyboard.press('Enter');
  await page.getByRole('status', { name: 'News' }).getByText('Discarded.').waitFor();
  expect(await actsOn(letters[2])).toMatchObject([{ by: 'otto' }]);
  await discard(letters[3]);
  await elsewhere('admin');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Settings of ada' }).waitFor();
  expect(await actsOn(letters[3])).toEqual([]);
  await go(`/letters?destination=${name}&state=discarded`);
  await lists(page, [letters[2] ?? '']);
});

test('what is typed into the search before the page has come to rest stays there', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await page.addInitScript(`new MutationObserver((_, observer) => {
    const box = document.querySelector('input[type=search]');
    if (!box) return;
    observer.disconnect();
    box.value = 'early';
    box.dispatchEvent(new Event('input', { bubbles: true }));
  }).observe(document, { childList: true, subtree: true });`);
  await go(`/?destination=${name}`);
  await says(page, /open in \d+ groups/);
  expect(await page.getByRole('searchbox').inputValue()).toBe('early');
});
