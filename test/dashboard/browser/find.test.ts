// "Where is my request?": any id of a write leads to where it stands now, whatever became of it.
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
    held: {},
    // Whoever is told to try again does so in an hour.
    patient: { retry: { baseMs: 3_600_000, capMs: 3_600_000 } },
  });
  await office.filler.startWorker();
  await hold('pause');
});
afterAll(() => office?.close());

const name = (short: string): string => office.filler.names[short] ?? '';
async function hold(how: 'pause' | 'resume'): Promise<void> {
  const answer = await office.world.as('admin').post(`/api/destinations/${name('held')}/${how}`, { reason: 'a test' });
  expect(answer.status, answer.text).toBe(200);
}
/** @returns its key and its job id */
async function add(short: string, answers: Answer[], delay?: number): Promise<{ key: string; jobId: string }> {
  const key = crypto.randomUUID();
  office.filler.plan(key, answers);
  const write = { method: 'POST' as const, path: `/v1/${short}`, body: {}, idempotencyKey: key };
  const { id = '' } =
    (await office.filler.queues[short]?.add('send', write, delay === undefined ? {} : { delay })) ?? {};
  return { key, jobId: id };
}
async function die(): Promise<{ key: string; letter: string; jobId: string; path: string }> {
  const [dead = { key: '', letter: '', jobId: '' }] = await office.filler.die('sms', [
    { answers: [NAME_TAKEN], write: { path: '/v1/sms' } },
  ]);
  return { ...dead, path: `/api/dead-letters/${name('sms')}/${dead.letter}` };
}
async function act(path: string, body: object): Promise<Record<string, string>> {
  const answer = await office.world.as('operator').post(path, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.body as Record<string, string>;
}
const look = async (id: string): Promise<Page> => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go('/find');
  await page.getByLabel('Key, id or request_id').fill(id);
  await page.keyboard.press('Enter');
  return page;
};
/** Waits until it is found in that state. */
async function finds(page: Page, state: string, path: string): Promise<ReturnType<Page['getByRole']>> {
  const article = page.getByRole('article', { name: `${state}: POST ${path}`, exact: true });
  await article.waitFor();
  await says(article.getByRole('heading', { level: 2 }), state);
  return article;
}

test('a waiting write is found by its key, and the page goes on to show where it is', async () => {
  const { key } = await add('held', []);
  const page = await look(key);
  const waiting = await finds(page, 'Waiting', '/v1/held');
  await says(waiting, 'It waits for a worker that is free.');
  await hold('resume');
  const delivered = await finds(page, 'Delivered', '/v1/held');
  await says(delivered, 'applied once');
  await hold('pause');
});

test('a scheduled write says when it is to be sent; that it was, the page sees by itself', async () => {
  const { jobId } = await add('sms', [], 3_600_000);
  const scheduled = await finds(await look(jobId), 'Scheduled', '/v1/sms');
  await says(scheduled, /^(?:59 min|1 h)/);
  const { page, go } = await sitDown(office.world, 'viewer');
  // Of a delivery no event tells: here none tells of anything else either.
  await page.route('**/api/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: 'retry: 3600000\n\n' }),
  );
  const soon = await add('sms', [], 2500);
  await go(`/find?id=${soon.jobId}`);
  await finds(page, 'Delivered', '/v1/sms');
});

test('a retrying write says what the API answered, and when the next attempt is', async () => {
  const { key } = await add('patient', [apiSays(503, 'UNAVAILABLE')]);
  const page = await look(key);
  const retrying = await finds(page, 'Retrying', '/v1/patient');
  await says(retrying, /Next attempt \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: 1 h/);
  await says(retrying, '503 UNAVAILABLE');
  await says(retrying, /base 3600000 \+ jitter \d+$/);
});

test('a delivered write is found by the request_id of its answer, which stands there with status and attempts', async () => {
  const requestId = `req-${crypto.randomUUID()}`;
  const { key } = await add('sms', [{ status: 201, requestId, raw: '{}' }]);
  await shown(async () => expect(office.filler.sent.some((send) => send.key === key)).toBe(true));
  const page = await look(requestId);
  await shown(async () => {
    if ((await page.getByRole('article').count()) === 0) await page.getByRole('button', { name: 'Find' }).click();
    expect(await page.getByRole('article').count()).toBe(1);
  });
  const delivered = await finds(page, 'Delivered', '/v1/sms');
  expect(await fact(delivered, 'request_id').innerText()).toContain(requestId);
  await says(fact(delivered, 'Delivered'), /with 201, after 1 attempt$/);
  expect(await fact(delivered, 'Idempotency key').innerText()).toContain(key);
});

test('a dead write is found by any of its ids, and leads to its dead letter', async () => {
  const { key, letter, jobId } = await die();
  const page = await look(jobId);
  const dead = await finds(page, 'Dead', '/v1/sms');
  await says(dead, 'not applied');
  await says(dead, '409 NAME_TAKEN');
  await dead.getByRole('link', { name: 'Look at it' }).click();
  await page.getByRole('heading', { level: 1, name: 'NAME_TAKEN' }).waitFor();
  for (const id of [key, letter]) await finds(await look(id), 'Dead', '/v1/sms');
});

test('a discarded write says who did it and why', async () => {
  const { key, path } = await die();
  await act(`${path}/discard`, { reason: 'nobody wants it' });
  const discarded = await finds(await look(key), 'Discarded', '/v1/sms');
  await says(discarded, /^otto discarded it$/);
  await says(discarded, 'nobody wants it');
});

test('a replaced write leads to the one that replaced it, and that one back', async () => {
  const { key, path, letter } = await die();
  const { idempotencyKey = '' } = await act(`${path}/replay`, { reason: 'as another', newKey: true });
  const page = await look(key);
  const replaced = await finds(page, 'Replaced', '/v1/sms');
  await replaced.getByRole('link', { name: idempotencyKey }).click();
  const delivered = await finds(page, 'Delivered', '/v1/sms');
  expect(await fact(delivered, 'Idempotency key').innerText()).toContain(idempotencyKey);
  expect(new URL(page.url()).searchParams.get('id')).toBe(idempotencyKey);
  await fact(delivered, 'Replayed from').getByRole('link').click();
  await shown(async () => expect(new URL(page.url()).pathname).toMatch(new RegExp(`${letter}$`)));
});

test('what nobody knows is said to be unknown, with how far was looked; the address alone finds the same again', async () => {
  const { key } = await die();
  const page = await look(`req-${crypto.randomUUID()}`);
  await page.getByRole('heading', { name: 'Nothing is known under that' }).waitFor();
  await says(page, /all \d+ delivered writes? (?:was|were) gone through|^It was never enqueued here/);
  await page.getByLabel('Key, id or request_id').fill(key);
  await page.getByRole('search', { name: 'Find a write' }).getByLabel('Destination').selectOption(name('held'));
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('heading', { name: 'Nothing is known under that' }).waitFor();
  await page.getByRole('search', { name: 'Find a write' }).getByLabel('Destination').selectOption(name('sms'));
  await page.getByRole('button', { name: 'Find' }).click();
  await finds(page, 'Dead', '/v1/sms');
  await page.reload();
  await finds(page, 'Dead', '/v1/sms');
});

test('what is typed before the page has come to rest is looked for', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await page.addInitScript(`new MutationObserver((_, observer) => {
    const box = document.querySelector('main input[type=search]');
    if (!box) return;
    observer.disconnect();
    box.value = 'early';
    box.dispatchEvent(new Event('input', { bubbles: true }));
  }).observe(document, { childList: true, subtree: true });`);
  await go('/find');
  await shown(async () => expect(await page.title()).toMatch(/^Find/));
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await shown(async () => expect(new URL(page.url()).searchParams.get('id')).toBe('early'));
});
