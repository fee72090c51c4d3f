// Whoever cannot see, or not well, can use every view: axe finds nothing, in both themes, wide and on a phone; and the
// page's own policy stops nothing on any of them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeFindings, type Person, PHONE, sitDown } from '../../support/browser.ts';
import { type BrowserOffice, openOffice, shown } from '../../support/browser-office.ts';
import { says as apiSays, usual } from '../../support/dead-letters-filler.ts';
import { everyView, type Subjects, type View } from './every-view.ts';

let office: BrowserOffice;
let subjects: Subjects;

beforeAll(async () => {
  office = await openOffice({ sms: { redact: { body: ['/iban'] } }, quiet: {} }, { environment: 'production-eu' });
  const { sms: name = '', quiet = '' } = office.filler.names;
  const body = { phone_number: '4512345678', iban: 'DE89370400440532013000', amount: 12 };
  const dead = await office.filler.die('sms', [
    {
      answers: [apiSays(503, 'UNAVAILABLE'), apiSays(422, 'VALIDATION_ERROR', { details: { field: 'phone_number' } })],
      write: { body, headers: { 'x-tenant': 'north' } },
      options: { maxAttempts: 2 },
    },
    { answers: ['reset'], write: { body } },
    { answers: [apiSays(409, 'NAME_TAKEN'), apiSays(422, 'NAME_ODD')] },
    ...usual(7),
  ]);
  const [rejected = '', doubtful = '', replayed = ''] = dead.map(({ letter }) => letter);
  await act(`dead-letters/${name}/${replayed}/replay`, { reason: 'free now' });
  const target = { act: 'replay', destination: name, target: { ids: [dead[5]?.letter, dead[6]?.letter] } };
  const { frozenAt } = await act('operations/plan', target);
  const { id: operation = '' } = await act('operations', { ...target, frozenAt, reason: 'once more', rate: 100 }, 201);
  subjects = { name, quiet, rejected, doubtful, replayed, operation };
  await shown(async () =>
    expect((await office.world.as('viewer').get(`/api/audit?destination=${name}`)).text).toContain('operation-done'),
  );
});
afterAll(() => office?.close());

async function act(path: string, body: object, status = 200): Promise<Record<string, string>> {
  const answer = await office.world.as('operator').post(`/api/${path}`, body);
  expect(answer.status, answer.text).toBe(status);
  return answer.body as Record<string, string>;
}

async function findingsOf({ page, go }: Person, view: View): Promise<string[]> {
  await go(view.path);
  await page.getByRole('heading', { level: 1, name: view.heading }).waitFor();
  await view.ready?.(page);
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await axeFindings(page);
  // A theme is colours and nothing else.
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await axeFindings(page, ['color-contrast']);
  return [...light.map((each) => `light: ${each}`), ...dark.map((each) => `dark: ${each}`)].map(
    (each) => `${view.name}, ${each}`,
  );
}

test.each([
  ['wide', {}],
  ['on a phone', { viewport: PHONE }],
] as const)('axe finds nothing on any view, in either theme, %s', { timeout: 180_000 }, async (_, options) => {
  const stranger = await sitDown(office.world, undefined, options);
  const findings = await findingsOf(stranger, { name: 'sign-in', path: '/', heading: 'Sign in' });
  const person = await sitDown(office.world, 'admin', options);
  for (const view of everyView(subjects)) findings.push(...(await findingsOf(person, view)));
  expect(findings).toEqual([]);
});

test('axe would find what is wrong', async () => {
  const { page, go } = await sitDown(office.world, 'viewer');
  await go('/find');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(`document.querySelector('main label').remove()`);
  expect(await axeFindings(page)).toEqual([expect.stringMatching(/^label: /)]);
});
