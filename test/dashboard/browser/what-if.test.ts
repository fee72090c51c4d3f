// "What if we had tried more often?": one sentence out of what the records hold.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WhatIf } from '../../../dashboard/api/contract/what-if.ts';
import { sitDown } from '../../support/browser.ts';
import { type BrowserOffice, openOffice, says, shown } from '../../support/browser-office.ts';
import { says as apiSays } from '../../support/dead-letters-filler.ts';

let office: BrowserOffice;
let name: string;
beforeAll(async () => {
  office = await openOffice({ sms: { retry: { maxAttempts: 1, baseMs: 1000, capMs: 1000, jitter: 0 } } });
  name = office.filler.names.sms ?? '';
  await office.filler.startWorker();
  // Without attempts of their own: those no policy overrules.
  for (const answer of [apiSays(503, 'UNAVAILABLE'), apiSays(503, 'UNAVAILABLE'), apiSays(422, 'VALIDATION_ERROR')]) {
    const key = crypto.randomUUID();
    office.filler.plan(key, [answer]);
    await office.filler.queues.sms?.add('send', { method: 'POST', path: '/v1/x', body: {}, idempotencyKey: key });
  }
  await shown(async () =>
    expect((await office.world.as('viewer').get(`/api/dead-letters/count?destination=${name}`)).text).toContain(
      '"count":3',
    ),
  );
  // The outage is over: a write that died of it goes through now.
  const { body } = await office.world.as('viewer').get(`/api/dead-letters?destination=${name}&code=UNAVAILABLE`);
  const [{ id } = { id: '' }] = (body as { items: { id: string }[] }).items;
  const replay = await office.world
    .as('operator')
    .post(`/api/dead-letters/${name}/${id}/replay`, { reason: 'well again' });
  expect(replay.status, replay.text).toBe(200);
  await shown(async () => expect(office.filler.sent).toHaveLength(4));
});
afterAll(() => office?.close());

const reckoned = async (policy: object): Promise<WhatIf> =>
  (await office.world.as('viewer').post('/api/what-if', { filter: { destination: name }, policy })).body as WhatIf;
const sentence = ({ saved, examined, extraCalls }: WhatIf): string =>
  `would have saved ${saved === 0 ? 'none' : saved} of these ${examined} dead letters, at ${extraCalls} more call${extraCalls === 1 ? '' : 's'}.`;
const openView = async (): Promise<Page> => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go(`/what-if?destination=${name}`);
  await page.getByRole('heading', { level: 2, name: /would have saved/ }).waitFor();
  return page;
};

test('it says how many dead letters another policy would have saved and at how many calls, by group, and how it knows', async () => {
  const page = await openView();
  const answer = await reckoned({ maxAttempts: 8, capMs: 60_000 });
  expect(answer).toMatchObject({ examined: 2, eligible: 1, saved: 1 });
  await page.getByRole('heading', { level: 2, name: `8 attempts and a 60 s cap ${sentence(answer)}` }).waitFor();
  await says(page, '1 was not given up for lack of attempts: no retry policy changes that.');
  const row = page.getByRole('table').getByRole('row').filter({ hasText: 'UNAVAILABLE' });
  expect(await row.getByRole('cell').allTextContents()).toEqual([
    name,
    'UNAVAILABLE',
    '1',
    '1',
    String(answer.extraCalls),
    '0',
  ]);
  await says(page, /^How this is worked out\. An attempt counts as a success when /);
  await row.getByRole('link', { name: 'UNAVAILABLE' }).click();
  await says(page, '1 open');
});

test('another policy is typed and reckoned with by Enter; what is no number is refused where it stands', async () => {
  const page = await openView();
  await page.getByLabel('Attempts at most').fill('1');
  await page.getByLabel('Longest wait (cap), s').fill('');
  await page.keyboard.press('Enter');
  const answer = await reckoned({ maxAttempts: 1 });
  expect(answer.saved).toBe(0);
  await page.getByRole('heading', { level: 2, name: `1 attempt ${sentence(answer)}` }).waitFor();
  const attempts = page.getByLabel('Attempts at most');
  await attempts.fill('many');
  await says(page, 'Allowed: a whole number from 1 to 1,000');
  expect(await attempts.getAttribute('aria-invalid')).toBe('true');
  const calculate = page.getByRole('button', { name: 'Calculate' });
  expect(await calculate.getAttribute('aria-disabled')).toBe('true');
});
