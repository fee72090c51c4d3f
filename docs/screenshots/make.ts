// npm run screenshots: the README's pictures, docs/images/<view>-<theme>.png, of a dashboard with a story of its own: the
// page as it is built now, the programs real, nothing of this machine in it.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { buildPage, isStale } from '../../dashboard/build/page.ts';
import type { Operation } from '../../dashboard/api/contract/operations.ts';
import { startPrivateRedis } from '../../dev/redis/start.ts';
import { launchBrowser } from '../../test/support/chromium.ts';
import { openOffice } from './office.ts';
import { REPLAYED, SHOWN } from './story.ts';

const IMAGES = fileURLToPath(new URL('../images/', import.meta.url));
const WINDOW = { width: 1280, height: 800 };
const THEMES = ['light', 'dark'] as const;
/** A README is looked at by people in trains. */
const MAX_BYTES = 150_000;
/** What the page's own head takes of the window. */
const HEAD_PX = 104;
const WITHIN_MS = 60_000;

/** Nobody signs in here; writes are told by it from those of another page. */
let cookie = '';

if (await isStale()) await buildPage();
await mkdir(IMAGES, { recursive: true });
const dir = await mkdtemp(join(tmpdir(), 'waybill-pictures-'));
const redis = await startPrivateRedis({ dir, env: process.env });
const office = await openOffice(redis.url);
const browser = await launchBrowser();
try {
  const { url } = office.dashboard;
  const operation = await replayAll(url);
  const views: [name: string, path: string, ready: (page: Page) => Promise<void>][] = [
    ['groups', '', async (page) => page.getByText('INVALID_API_KEY').first().waitFor()],
    ['letter', await letterPath(url), async (page) => showFrom(page, 'What happened')],
    [
      'operation',
      `operations/${REPLAYED.destination}/${operation.id}`,
      async (page) => page.getByText('delivered').first().waitFor(),
    ],
    ['overview', 'overview', async (page) => page.locator('canvas').first().waitFor()],
  ];
  const heavy: string[] = [];
  for (const colorScheme of THEMES) {
    const context = await browser.newContext({
      viewport: WINDOW,
      colorScheme,
      reducedMotion: 'reduce',
      locale: 'en-GB',
      timezoneId: 'Europe/Copenhagen',
    });
    const page = await context.newPage();
    for (const [name, path, ready] of views) {
      await page.goto(url + path);
      await ready(page);
      await page.evaluate('document.fonts.ready');
      await page.waitForLoadState('load');
      const file = `${name}-${colorScheme}.png`;
      await page.waitForTimeout(300);
      await page.screenshot({ path: IMAGES + file, animations: 'disabled', caret: 'hide' });
      const { size } = await stat(IMAGES + file);
      process.stdout.write(`docs/images/${file}  ${Math.ceil(size / 1000)} kB\n`);
      if (size > MAX_BYTES) heavy.push(file);
    }
    await context.close();
  }
  if (heavy.length > 0) throw new Error(`more than ${MAX_BYTES / 1000} kB: ${heavy.join(', ')}`);
} finally {
  await browser.close();
  await office.close();
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
}

/** The heading and what it stands over at the top of the window, below the page's own head. */
async function showFrom(page: Page, heading: string): Promise<void> {
  const found = page.getByRole('heading', { name: heading });
  await found.waitFor();
  const { y = 0 } = (await found.boundingBox()) ?? {};
  await page.evaluate(`scrollTo(0, ${y - HEAD_PX})`);
}

/** As a person would from the page: the group's letters, step by step. @returns once it is done and all writes have ended */
async function replayAll(url: string): Promise<Operation> {
  const session = await ask<{ csrf: string }>(url, 'api/session');
  const { destination, code } = REPLAYED;
  const request = { act: 'replay', destination, target: { filter: { code } } };
  const plan = await ask<{ frozenAt: number; count: number }>(url, 'api/operations/plan', { session, body: request });
  const created = await ask<Operation>(url, 'api/operations', {
    session,
    body: {
      ...request,
      frozenAt: plan.frozenAt,
      reason: 'the gateway is back, ticket 2291',
      rate: 100,
      steps: 'canary',
      confirm: { count: plan.count },
    },
  });
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const now = await ask<Operation>(url, `api/operations/${destination}/${created.id}`);
    if (now.state === 'done' && now.after.underway === 0) return now;
    if (performance.now() > until) throw new Error(`the operation has not ended: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function letterPath(url: string): Promise<string> {
  const { destination, code } = SHOWN;
  const list = await ask<{ items: { id: string }[] }>(
    url,
    `api/dead-letters?destination=${destination}&code=${code}&reason=exhausted&limit=1`,
  );
  return `letters/${destination}/${list.items[0]?.id}`;
}

async function ask<T>(url: string, path: string, write?: { session: { csrf: string }; body: unknown }): Promise<T> {
  const answer = await fetch(url + path, {
    headers: {
      cookie,
      ...(write && {
        'content-type': 'application/json',
        origin: new URL(url).origin,
        'x-csrf-token': write.session.csrf,
      }),
    },
    ...(write && { method: 'POST', body: JSON.stringify(write.body) }),
  });
  cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? cookie;
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
