// A person at the dashboard: a real browser, one for each test file, and a window of its own for each person. Whatever a
// page logs as an error, or its content security policy stops, fails the test that opened it.
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';
import { launchBrowser } from './chromium.ts';
import { type DashboardWorld, TOKENS } from './dashboard-world.ts';

/** Playwright's own waits: a busy machine with two cores. */
const WITHIN_MS = 15_000;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
export const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };

let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser?.catch(() => undefined))?.close();
  browser = undefined;
});

export interface Person {
  page: Page;
  /** Goes to a path below the base path. */
  go: (path: string) => Promise<void>;
  /** What the page said wrong so far; a test that expects an error takes it away with `splice(0)`. */
  wrong: string[];
}

/**
 * Opens a window, signed in as somebody of this role.
 * @param role left out for somebody who has not signed in
 */
export async function sitDown(
  world: Pick<DashboardWorld, 'url' | 'enter'>,
  role?: keyof typeof TOKENS,
  options: BrowserContextOptions = {},
): Promise<Person> {
  browser ??= launchBrowser();
  const context = await (
    await browser
  ).newContext({ viewport: DESK, colorScheme: 'light', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(WITHIN_MS);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    // A refused request is told by the page itself, and asked for where a test expects none.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await tellWhatIsShown(page, task.name);
    await context.close();
    expect(wrong).toEqual([]);
  });
  if (role) {
    const { cookie } = await world.enter(role);
    const [name = '', ...value] = cookie.split('=');
    await context.addCookies([{ name, value: value.join('='), url: world.url, httpOnly: true, sameSite: 'Strict' }]);
  }
  return {
    page,
    wrong,
    go: async (path) => void (await page.goto(world.url.replace(/\/$/, '') + path)),
  };
}

const MAX_TOLD = 4000;

async function tellWhatIsShown(page: Page, test: string): Promise<void> {
  const text = await page
    .locator('dialog[open], main')
    .last()
    .ariaSnapshot({ timeout: 2000 })
    .catch(() => '(nothing that can be read)');
  process.stderr.write(`\n${test}: ${page.url()} showed\n${text.slice(0, MAX_TOLD)}\n`);
}

/**
 * What axe finds, as lines that name the rule and the element. The whole page is looked at.
 * @param rules by their ids, where not by all of them
 */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // By the browser's protocol, which the page's policy does not hold up.
  await page.evaluate(await axeSource());
  const { violations } = await page.evaluate(
    (only) => (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run(only),
    rules ? { runOnly: rules } : {},
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ''}`),
  );
}

let source: Promise<string> | undefined;
const axeSource = async (): Promise<string> => {
  source ??= import('node:fs/promises').then(({ readFile }) => readFile(AXE, 'utf8'));
  return source;
};
