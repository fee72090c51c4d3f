// Who may come in, and who may do what: the page explains, the server refuses.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, hasFocus, lists, openOffice, says, shown } from '../../support/browser-office.ts';
import { createDashboardWorld, TOKENS } from '../../support/dashboard-world.ts';
import { usual } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
let name: string;
let letters: string[];
beforeAll(async () => {
  office = await openOffice({ sms: {} });
  name = office.filler.names.sms ?? '';
  letters = (await office.filler.die('sms', usual(2))).map(({ letter }) => letter);
});
afterAll(() => office?.close());

/** A call that a script of the page would make, with the session's cookie; the browser says where it comes from. */
const asked = (page: Page, path: string, body?: object, headers: Record<string, string> = {}) =>
  page.evaluate(
    async ([at, sent, more]) => {
      const response = await fetch(at, {
        method: sent === undefined ? 'GET' : 'POST',
        headers: { ...more, ...(sent !== undefined && { 'content-type': 'application/json' }) },
        ...(sent !== undefined && { body: sent }),
      });
      const answer = (await response.json()) as { code?: string; csrf?: string };
      return { status: response.status, ...answer };
    },
    [path, body && JSON.stringify(body), headers] as const,
  );
const stateOf = async (letter: string | undefined): Promise<unknown> => {
  const answer = await office.world.as('viewer').get(`/api/dead-letters/${name}/${letter}`);
  return (answer.body as { letter: { state: string } }).letter.state;
};

test('a person signs in by the form and out again; the cookie is out of reach for scripts, and gone afterwards', async () => {
  const { page, go } = await sitDown(office.world);
  await go(`/letters?destination=${name}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const token = page.getByLabel('Token');
  await hasFocus(token);
  expect(await token.getAttribute('type')).toBe('password');
  await token.fill('a token that nobody holds');
  await page.keyboard.press('Enter');
  const alert = page.getByRole('alert');
  await alert.getByRole('button', { name: 'Copy request_id of the error' }).waitFor();
  await says(alert, 'UNAUTHENTICATED');
  await token.fill(TOKENS.operator);
  await page.getByRole('button', { name: 'Sign in' }).click();
  // Where one wanted to go.
  await lists(page, letters);
  expect(await page.evaluate('document.cookie')).toBe('');
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'waybill_session', httpOnly: true, sameSite: 'Strict' });
  await page.getByRole('button', { name: 'Settings of otto' }).click();
  await says(page.getByRole('region', { name: 'Settings' }), 'operator');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await asked(page, '/api/overview')).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  expect(await page.context().cookies()).toEqual([]);
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('a session that ends while somebody looks leads to the form, and back to where he was', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/letters?destination=${name}`);
  await lists(page, letters);
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Groups' }).click();
  await page.getByLabel('Token').fill(TOKENS.viewer);
  await page.keyboard.press('Enter');
  await says(page, /^2 open in 2 groups/);
});

test('whoever tries too many tokens is told to wait, and how long', async () => {
  const world = await createDashboardWorld(office.filler.config);
  const tries = () =>
    world.ask('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: world.origin },
      body: '{"token":"guess"}',
    });
  await shown(async () => expect((await tries()).status).toBe(429));
  const { page, go } = await sitDown(world);
  await go('/');
  await page.getByLabel('Token').fill(TOKENS.admin);
  await page.keyboard.press('Enter');
  await says(page.getByRole('alert'), /try again in \d+ s/);
  await says(page.getByRole('alert'), 'RATE_LIMITED');
});

test('a viewer finds each button in its place with what it needs, and none of them does anything', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  const refuses = async (button: string | RegExp): Promise<void> => {
    const one = page.getByRole('button', { name: button }).first();
    await one.waitFor();
    expect(await one.getAttribute('aria-disabled'), String(button)).toBe('true');
    const described = (await one.getAttribute('aria-describedby')) ?? '';
    expect(await page.locator(`[id="${described}"]`).textContent()).toBe('Needs the role operator.');
    await one.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
  };
  await go(`/?destination=${name}`);
  await refuses(/^Replay group/);
  await refuses(/^Discard group/);
  await go(`/letters?destination=${name}`);
  await lists(page, letters);
  await page.getByRole('checkbox', { name: 'Select this page' }).click();
  await refuses('Replay…');
  await refuses('Discard…');
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  await says(page.getByRole('status', { name: 'News' }), 'Needs the role operator');
  expect(await page.getByRole('dialog').count()).toBe(0);
});

test('what the page does not offer to a viewer the server refuses, also when asked with everything that a page has', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const { csrf = '' } = await asked(page, '/api/session');
  expect(csrf).not.toBe('');
  const discard = { act: 'discard', destination: name, target: { ids: letters } };
  const tried = [
    [`/api/dead-letters/${name}/${letters[0]}/discard`, { reason: 'I want to' }],
    [`/api/dead-letters/${name}/${letters[0]}/replay`, { reason: 'I want to' }],
    ['/api/operations/plan', discard],
    ['/api/operations', { ...discard, frozenAt: Date.now(), reason: 'I want to' }],
    [`/api/destinations/${name}/pause`, { reason: 'I want to' }],
  ] as const;
  for (const [path, body] of tried)
    expect(await asked(page, path, body, { 'x-csrf-token': csrf }), path).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
      request_id: expect.any(String),
    });
  expect(await stateOf(letters[0])).toBe('open');
});

test('a write without the CSRF token of the session, or with that of another, is refused', async () => {
  const { page, go } = await sitDown(office.world, 'operator');
  await go('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const path = `/api/dead-letters/${name}/${letters[0]}/discard`;
  const body = { reason: 'it came from elsewhere' };
  const { session } = await office.world.enter('admin');
  const headers: Record<string, string>[] = [{}, { 'x-csrf-token': '' }, { 'x-csrf-token': session.csrf ?? '' }];
  for (const each of headers)
    expect(await asked(page, path, body, each)).toMatchObject({ status: 403, code: 'CSRF_REFUSED' });
  expect(await stateOf(letters[0])).toBe('open');
  const { csrf = '' } = await asked(page, '/api/session');
  expect(await asked(page, path, body, { 'x-csrf-token': csrf })).toMatchObject({ status: 200 });
  expect(await stateOf(letters[0])).toBe('discarded');
});
