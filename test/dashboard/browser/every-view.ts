// Every view of the page, and every state of one that looks otherwise: dialogs, forms, what is empty, what is wrong.
import type { Page } from 'playwright-core';
import { rowBoxes, says } from '../../support/browser-office.ts';

const dialogIn = (page: Page) => page.getByRole('dialog');
const select = async (page: Page): Promise<void> => {
  await rowBoxes(page).first().check();
  await says(page, '1 selected');
};
async function startBulk(page: Page): Promise<void> {
  await page.getByRole('checkbox', { name: 'Select this page' }).click();
  await page.getByRole('button', { name: 'Replay…' }).click();
  await dialogIn(page).getByRole('region', { name: 'Dry run' }).waitFor();
}
async function type(page: Page): Promise<void> {
  const editor = page.getByRole('textbox', { name: 'Body, as JSON' });
  await editor.focus();
  await page.keyboard.press('ControlOrMeta+End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.type(',"more":1');
  await page.getByRole('region', { name: 'What differs in the body' }).waitFor();
}

/** What the views show. */
export interface Subjects {
  /** A destination with dead letters. */
  name: string;
  /** One without. */
  quiet: string;
  /** Letters of the first: one that the API rejected after a retry, one in doubt, one that was replayed and died again. */
  rejected: string;
  doubtful: string;
  replayed: string;
  /** An operation on two of its letters. */
  operation: string;
}

export interface View {
  name: string;
  path: string;
  /** By its text: it is there. */
  heading: string | RegExp;
  ready?: (page: Page) => Promise<void>;
}
/** A new view is a line here. */
export const everyView = ({ name, quiet, rejected, doubtful, replayed, operation }: Subjects): View[] => [
  {
    name: 'groups',
    path: `/?destination=${name}`,
    heading: 'Dead letters',
    ready: (page) => says(page, /open in \d+ groups/),
  },
  {
    name: 'no groups',
    path: `/?destination=${quiet}`,
    heading: 'Dead letters',
    ready: (page) => page.getByRole('heading', { level: 2 }).waitFor(),
  },
  {
    name: 'a group about to be replayed',
    path: `/?destination=${name}`,
    heading: 'Dead letters',
    ready: async (page) => {
      await page
        .getByRole('button', { name: /^Replay group/ })
        .first()
        .click();
      await dialogIn(page).getByRole('region', { name: 'Dry run' }).waitFor();
    },
  },
  {
    name: 'list',
    path: `/letters?destination=${name}`,
    heading: /./,
    ready: (page) => rowBoxes(page).first().waitFor(),
  },
  {
    name: 'list with filters, one of them open to be changed, and a selection',
    path: `/letters?destination=${name}&code=VALIDATION_ERROR&status=422`,
    heading: /./,
    ready: async (page) => {
      await select(page);
      await page.getByRole('button', { name: 'Filter', exact: true }).click();
      await page.getByRole('button', { name: 'Apply' }).waitFor();
    },
  },
  {
    name: 'list that nothing matches',
    path: `/letters?destination=${name}&code=NEVER_SEEN`,
    heading: /./,
    ready: (page) => page.getByRole('heading', { level: 2 }).first().waitFor(),
  },
  { name: 'bulk: dry run', path: `/letters?destination=${name}`, heading: /./, ready: startBulk },
  {
    name: 'bulk: what is missing, and words to be typed',
    path: `/letters?destination=${name}`,
    heading: /./,
    ready: async (page) => {
      await startBulk(page);
      const dialog = dialogIn(page);
      await dialog.getByRole('radio', { name: /^A new one each/ }).check();
      await dialog.getByRole('checkbox', { name: /applied twice/ }).check();
      await dialog.getByLabel(/^Type .applied twice./).waitFor();
      await dialog.getByRole('button', { name: /^Replay/ }).click();
      await says(dialog, 'Say why: it stands in the audit');
    },
  },
  {
    name: 'operations',
    path: '/operations',
    heading: 'Operations',
    ready: (page) => page.getByRole('table').waitFor(),
  },
  {
    name: 'one operation',
    path: `/operations/${name}/${operation}`,
    heading: /^Replay 2 letters/,
    ready: (page) => page.getByRole('table').waitFor(),
  },
  {
    name: 'letter',
    path: `/letters/${name}/${rejected}`,
    heading: /VALIDATION_ERROR/,
    ready: (page) => page.getByText('Response body').first().click(),
  },
  { name: 'letter that was replayed and died again', path: `/letters/${name}/${replayed}`, heading: 'NAME_TAKEN' },
  {
    name: 'letter about to be replayed, in doubt under a new key',
    path: `/letters/${name}/${doubtful}`,
    heading: 'ECONNRESET',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Replay…' }).click();
      await dialogIn(page)
        .getByRole('radio', { name: /^A new key/ })
        .check();
      await dialogIn(page)
        .getByLabel(/^Type .applied twice./)
        .waitFor();
    },
  },
  {
    name: 'letter about to be discarded',
    path: `/letters/${name}/${rejected}`,
    heading: /VALIDATION_ERROR/,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Discard…' }).click();
      await dialogIn(page).waitFor();
    },
  },
  {
    name: 'edit',
    path: `/letters/${name}/${rejected}/edit`,
    heading: 'Edit and replay',
    ready: (page) => page.getByRole('textbox', { name: 'Body, as JSON' }).waitFor(),
  },
  { name: 'diff', path: `/letters/${name}/${rejected}/edit`, heading: 'Edit and replay', ready: type },
  {
    name: 'find',
    path: `/find?id=${replayed}`,
    heading: 'Find a write',
    ready: (page) => page.getByRole('article').waitFor(),
  },
  {
    name: 'find nothing',
    path: '/find?id=never-heard-of',
    heading: 'Find a write',
    ready: (page) => page.getByRole('heading', { level: 2 }).waitFor(),
  },
  { name: 'audit', path: '/audit', heading: 'Audit', ready: (page) => page.getByRole('table').waitFor() },
  {
    name: 'overview',
    path: '/overview',
    heading: 'Overview',
    ready: async (page) => {
      const own = page.getByRole('region', { name, exact: true });
      await own.locator('canvas').first().waitFor();
      await own.getByText('The charts as a table').click();
      await own.getByRole('table').waitFor();
    },
  },
  {
    name: 'destination about to be paused',
    path: `/overview?destination=${name}`,
    heading: 'Overview',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Pause…' }).click();
      await dialogIn(page).waitFor();
    },
  },
  {
    name: 'what-if',
    path: `/what-if?destination=${name}`,
    heading: 'What if',
    ready: (page) => page.getByRole('heading', { level: 2, name: /would have saved/ }).waitFor(),
  },
  {
    name: 'keys',
    path: '/audit',
    heading: 'Audit',
    ready: async (page) => {
      await page.keyboard.press('?');
      await dialogIn(page).waitFor();
    },
  },
  {
    name: 'settings',
    path: '/find',
    heading: 'Find a write',
    ready: async (page) => {
      await page.getByRole('button', { name: /^Settings of / }).click();
      await page.getByRole('region', { name: 'Settings' }).waitFor();
    },
  },
  {
    name: 'an error',
    path: `/letters/${name}/wnone.g0`,
    heading: 'Dead letter',
    ready: (page) => page.getByRole('alert').waitFor(),
  },
  { name: 'an address that is nowhere', path: '/nowhere', heading: 'Not found' },
];
