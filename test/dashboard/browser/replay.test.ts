// A dead letter is sent again, put aside or taken back, by one person or by two at once.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, fact, openOffice, says, shown } from '../../support/browser-office.ts';
import { type Answer, says as apiSays } from '../../support/dead-letters-filler.ts';

const NAME_TAKEN = apiSays(409, 'NAME_TAKEN');
let office: BrowserOffice;
beforeAll(async () => {
  office = await openOffice({
    sms: {},
    // An attempt may start with a key for 1.3 s.
    brief: { idempotency: { ttlMs: 2000 }, timeoutMs: 500 },
  });
});
afterAll(() => office?.close());

interface Dead {
  key: string;
  letter: string;
  /** The path of its page. */
  path: string;
}
async function die(answers: Answer[], short = 'sms'): Promise<Dead> {
  const [dead = { key: '', letter: '' }] = await office.filler.die(short, [{ answers }]);
  return { ...dead, path: `/letters/${office.filler.names[short]}/${dead.letter}` };
}
const sendsOf = (key: string): number => office.filler.sent.filter((send) => send.key === key).length;
const card = (page: Page, title: string) => page.getByRole('region', { name: title, exact: true });
const timeline = (page: Page) => card(page, 'What happened');
const isInState = (page: Page, state: string): Promise<void> => says(page.getByRole('main'), state);

async function openAt(path: string, role: 'operator' | 'admin' = 'operator') {
  const person = await sitDown(office.world, role);
  await person.go(path);
  await person.page.getByRole('button', { name: 'Replay…' }).waitFor();
  return person;
}
async function openReplay(page: Page) {
  await page.getByRole('button', { name: 'Replay…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Replay this write' });
  return {
    dialog,
    own: dialog.getByRole('radio', { name: /^Its own key/ }),
    another: dialog.getByRole('radio', { name: /^A new key/ }),
    reason: dialog.getByLabel('Reason'),
    replay: dialog.getByRole('button', { name: 'Replay', exact: true }),
    phrase: dialog.getByLabel(/^Type .applied twice. to accept that/),
  };
}
/** The button is in its place, does nothing, and says why. */
async function waitsFor(page: Page, button: ReturnType<Page['getByRole']>, because: string | RegExp): Promise<void> {
  await shown(async () => {
    const described = (await button.getAttribute('aria-describedby')) ?? '';
    expect(await page.locator(`[id="${described}"]`).textContent()).toMatch(because);
  });
  expect(await button.getAttribute('aria-disabled')).toBe('true');
}

test('a replay under its own key needs a reason, is delivered, and is told by the page without loading it again', async () => {
  const { key, path } = await die([NAME_TAKEN]);
  const { page } = await openAt(path);
  const { dialog, own, reason, replay } = await openReplay(page);
  expect(await own.isChecked()).toBe(true);
  await says(dialog, key);
  await waitsFor(page, replay, 'Say why: it stands in the audit.');
  await reason.press('Enter');
  await dialog.waitFor();
  expect(sendsOf(key)).toBe(1);
  await reason.fill('the name is free now');
  await reason.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await says(page.getByRole('status', { name: 'News' }), /^Replayed\./);
  await isInState(page, 'replayed');
  await says(timeline(page), /^otto replayed it under the same key$/);
  await says(timeline(page), 'the name is free now');
  await says(timeline(page), 'Delivered');
  await says(card(page, 'Lineage'), 'delivered');
  expect(sendsOf(key)).toBe(2);
  expect(await page.getByRole('button', { name: /^(?:Replay|Discard)…$/ }).count()).toBe(0);
  await page.getByRole('link', { name: 'find it' }).click();
  await page.getByRole('article', { name: /^Delivered: POST / }).waitFor();
});

test('a write that dies again is another generation: each knows the other, and who sent it', async () => {
  const { path, letter } = await die([NAME_TAKEN, apiSays(422, 'NAME_ODD')]);
  const { page } = await openAt(path);
  const { reason, replay } = await openReplay(page);
  await reason.fill('once more');
  await replay.click();
  await says(timeline(page), 'Dead');
  await card(page, 'Lineage').getByRole('link', { name: 'Generation 1' }).click();
  await page.getByRole('heading', { level: 1, name: 'NAME_ODD' }).waitFor();
  const second = timeline(page).getByRole('listitem').filter({ hasText: '422 NAME_ODD' });
  await says(second, 'manual: a replay');
  expect(new URL(page.url()).pathname).toBe(path.replace(/\.g0$/, '.g1'));
  await card(page, 'Lineage').getByRole('link', { name: 'Generation 0' }).click();
  await shown(async () => expect(new URL(page.url()).pathname).toMatch(new RegExp(`${letter}$`)));
  const first = timeline(page).getByRole('listitem').filter({ hasText: '409 NAME_TAKEN' });
  await says(first, 'automatic');
});

test('a replay under a new key sends the key that was shown; the two letters lead to each other', async () => {
  const { key, path } = await die([NAME_TAKEN]);
  const { page } = await openAt(path);
  const { another, reason, replay, dialog } = await openReplay(page);
  await another.check();
  const newKey = (await dialog.getByRole('code').textContent()) ?? '';
  expect(newKey).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  office.filler.plan(newKey, [apiSays(422, 'NAME_ODD')]);
  await reason.fill('as another write');
  await replay.click();
  await says(timeline(page), /^otto replayed it under a new key$/);
  await shown(async () => expect([sendsOf(key), sendsOf(newKey)]).toEqual([1, 1]));
  await card(page, 'Lineage').getByRole('link', { name: newKey }).click();
  const found = page.getByRole('article', { name: /^Dead: POST / });
  await found.getByRole('link', { name: 'Look at it' }).click();
  await page.getByRole('heading', { level: 1, name: 'NAME_ODD' }).waitFor();
  await says(card(page, 'Idempotency key'), newKey);
  await card(page, 'Lineage').getByRole('link', { name: 'the dead letter of another key' }).click();
  await shown(async () => expect(new URL(page.url()).pathname).toBe(path));
});

test('what is in doubt goes out under its own key, and under a new one only when “applied twice” was typed', async () => {
  const { key, path } = await die(['reset']);
  const { page } = await openAt(path);
  await says(card(page, 'Verdict'), 'in doubt');
  await says(card(page, 'Verdict'), /^attempt 1: no answer \(.+\); what was sent may have been applied$/);
  const { dialog, own, another, reason, replay, phrase } = await openReplay(page);
  expect(await own.isChecked()).toBe(true);
  expect(await phrase.count()).toBe(0);
  await another.check();
  await says(dialog, 'IN_DOUBT');
  await reason.fill('they say that it is not there');
  await waitsFor(page, replay, 'Type: applied twice');
  await replay.click({ force: true });
  await phrase.fill('applied once');
  await phrase.press('Enter');
  await waitsFor(page, replay, 'Type: applied twice');
  expect(sendsOf(key)).toBe(1);
  await phrase.fill('applied twice');
  await replay.click();
  await says(timeline(page), /^otto replayed it under a new key accepting that it may be applied twice$/);
  expect(sendsOf(key)).toBe(1);
});

test('when its key is past, a write in doubt is refused under either key until “applied twice” was typed; the page sees that by itself', async () => {
  const { key, path } = await die(['reset'], 'brief');
  const { page } = await openAt(path);
  const keyCard = card(page, 'Idempotency key');
  await shown(async () => expect(await fact(keyCard, 'Life').innerText()).toBe('no longer usable'));
  await says(keyCard, 'KEY_EXPIRED');
  const { dialog, own, reason, replay, phrase } = await openReplay(page);
  await own.check();
  await says(dialog, /the API may have forgotten its key/);
  await reason.fill('the API says that it has it not');
  await waitsFor(page, replay, 'Type: applied twice');
  await phrase.fill('applied twice');
  await reason.press('Enter');
  await says(timeline(page), /^otto replayed it under the same key accepting that it may be applied twice$/);
  await shown(async () => expect(sendsOf(key)).toBe(2));
});

test('what the server refuses is told in the dialog by code and request_id; the dialog stays, with all that was typed', async () => {
  const { key, path } = await die([NAME_TAKEN, 'reset']);
  const { page } = await openAt(path);
  // Nothing that the page offers is refused: so it asks for something else than it offers.
  await page.route('**/replay', (route) =>
    route.continue({ postData: JSON.stringify({ ...(route.request().postDataJSON() as object), newKey: key }) }),
  );
  const { dialog, reason, replay } = await openReplay(page);
  await reason.fill('now');
  await replay.click();
  const alert = dialog.getByRole('alert');
  await says(alert, 'INVALID_WRITE');
  await says(alert, /^request_id [\w-]+/);
  await alert.getByRole('button', { name: 'Copy request_id of the error' }).waitFor();
  expect(await reason.inputValue()).toBe('now');
  expect(sendsOf(key)).toBe(1);
});

test('a discarded letter is put aside with a reason, and restored with another', async () => {
  const { path, key } = await die([NAME_TAKEN]);
  const { page } = await openAt(path);
  const act = async (button: string, title: string, reason: string): Promise<void> => {
    await page.getByRole('button', { name: `${button}…` }).click();
    const dialog = page.getByRole('dialog', { name: title });
    const press = dialog.getByRole('button', { name: button, exact: true });
    await waitsFor(page, press, 'Say why: it stands in the audit.');
    await dialog.getByLabel('Reason').fill(reason);
    await press.click();
    await dialog.waitFor({ state: 'hidden' });
  };
  await act('Discard', 'Discard this dead letter', 'nobody wants it');
  await isInState(page, 'discarded');
  await says(timeline(page), /^otto discarded it$/);
  await says(timeline(page), 'nobody wants it');
  expect(await page.getByRole('button', { name: 'Replay…' }).count()).toBe(0);
  await act('Restore', 'Restore this dead letter', 'somebody does');
  await isInState(page, 'open');
  await says(timeline(page), /^otto restored it$/);
  await page.getByRole('button', { name: 'Replay…' }).waitFor();
  expect(sendsOf(key)).toBe(1);
});

test('of two people at one letter the second is told who was first and when, and keeps the page', async () => {
  const { key, path } = await die([NAME_TAKEN]);
  const [otto, ada] = [await openAt(path), await openAt(path, 'admin')];
  const his = await openReplay(otto.page);
  await his.reason.fill('I am first');
  const hers = await openReplay(ada.page);
  await hers.reason.fill('I am second');
  await his.replay.click();
  await says(timeline(otto.page), /^otto replayed it/);
  await hers.replay.click();
  const alert = ada.page.getByRole('alert');
  await says(alert, /^Already replayed by otto (?:just now|\d+ s ago)\.$/);
  await says(alert, 'Nothing was done; below stands the letter as it is now.');
  await says(alert, /^request_id/);
  await hers.dialog.waitFor({ state: 'hidden' });
  expect(new URL(ada.page.url()).pathname).toBe(path);
  await says(timeline(ada.page), 'I am first');
  expect(await ada.page.getByText('I am second').count()).toBe(0);
  await shown(async () => expect(sendsOf(key)).toBe(2));
  await alert.getByRole('button', { name: 'Close' }).click();
  await alert.waitFor({ state: 'hidden' });
});

test('whoever only looks is offered what another has done meanwhile, and keeps what he sees until he asks for it', async () => {
  const { path } = await die([NAME_TAKEN]);
  const { page } = await openAt(path, 'admin');
  await page.getByRole('button', { name: 'Live updates: live' }).waitFor();
  const answer = await office.world.as('operator').post(`/api/dead-letters${path.slice('/letters'.length)}/discard`, {
    reason: 'it is superfluous',
  });
  expect(answer.status, answer.text).toBe(200);
  const offer = page.getByRole('status').filter({ hasText: 'otto discarded it' });
  await offer.waitFor();
  await page.getByRole('button', { name: 'Replay…' }).waitFor();
  await offer.getByRole('button', { name: 'Show' }).click();
  await isInState(page, 'discarded');
  await says(timeline(page), 'it is superfluous');
});
