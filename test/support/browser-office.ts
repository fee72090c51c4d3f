// What a file of browser tests shares: dead letters of destinations of its own, which a real worker made, and a dashboard
// in front of them; and what its tests read off the page.
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ConfigInput } from '../../core/config.ts';
import { type DashboardWorld, openDashboardWorld } from './dashboard-world.ts';
import { createFiller, type Filler } from './dead-letters-filler.ts';
import { eventually } from './world.ts';

export interface BrowserOffice {
  filler: Filler;
  world: DashboardWorld;
  close(): Promise<void>;
}

/** @param dashboard its section of the configuration */
export async function openOffice(
  destinations: Parameters<typeof createFiller>[0],
  dashboard?: ConfigInput['dashboard'],
): Promise<BrowserOffice> {
  const filler = await createFiller(destinations);
  const world = await openDashboardWorld({ ...filler.config, dashboard });
  return {
    filler,
    world,
    close: async () => {
      await world.stop();
      await filler.close();
    },
  };
}

/** For whatever a page shows in its own time. */
const SHOWN_WITHIN_MS = 20_000;
export const shown = (check: () => Promise<void>): Promise<void> => eventually(check, SHOWN_WITHIN_MS);

/** Waits until the page says this somewhere, in one element. */
export const says = (where: Page | Locator, text: string | RegExp): Promise<void> =>
  where
    .getByText(text, { exact: typeof text === 'string' })
    .first()
    .waitFor();

/** What stands beside a name in a list of facts: `fact(card, 'request_id')`. */
export const fact = (where: Page | Locator, name: string): Locator =>
  where
    .getByRole('term')
    .filter({ hasText: new RegExp(`^${name}$`) })
    .locator('xpath=following-sibling::dd[1]');

/** The boxes of the list's rows: `Select VALIDATION_ERROR, 5f3a….g0`. */
export const rowBoxes = (page: Page): Locator => page.getByRole('checkbox', { name: /^Select .+, / });

/** Ids of the letters that the list shows, from its top. */
export const idsOf = async (page: Page): Promise<string[]> =>
  rowBoxes(page).evaluateAll((boxes) => boxes.map((box) => box.getAttribute('aria-label')?.split(', ').pop() ?? ''));

/** Waits until the list shows these letters, whatever their order. */
export const lists = (page: Page, letters: readonly string[], because?: string): Promise<void> =>
  shown(async () => expect((await idsOf(page)).toSorted(), because).toEqual(letters.toSorted()));

export const hasFocus = (one: Locator): Promise<void> => one.and(one.page().locator(':focus')).waitFor();

/** Waits until the page has no more width than its window: nobody scrolls sideways. */
export const fitsItsWidth = (page: Page): Promise<void> =>
  shown(async () => {
    const tooWide = await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
    expect(tooWide).toBeLessThanOrEqual(0);
  });
