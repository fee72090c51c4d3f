// A name that is not known is refused wherever something is asked: a part of a filter that is dropped would mean more
// letters than a person saw, and a dropped edit would send the write as it was.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DashboardWorld, errorOf, openDashboardWorld } from '../support/dashboard-world.ts';
import { fillLetters } from '../support/fast-letters.ts';
import { createWorld } from '../support/world.ts';

let world: DashboardWorld;
beforeAll(async () => {
  world = await openDashboardWorld({ destinations: { sms: { baseUrl: 'http://127.0.0.1:9' } } });
});
afterAll(async () => world?.stop());

const LETTER = '/api/dead-letters/sms/nothing.g0';
const OPERATION = '/api/operations/sms/nobody';
const meant = { act: 'discard', destination: 'sms', target: { filter: {} } };
const begun = { ...meant, frozenAt: 1, reason: 'a test' };

test.each([
  ['/api/operations/plan', { ...meant, target: { filter: { cod: 'NOPE' } } }, 'target.filter.cod'],
  ['/api/operations/plan', { ...meant, target: { ids: ['a.g0'], filter: {} } }, 'target.filter'],
  ['/api/operations/plan', { ...meant, acceptDuoble: true }, 'acceptDuoble'],
  ['/api/operations', { ...begun, target: { filter: { destination: 'sms' } } }, 'target.filter.destination'],
  ['/api/operations', { ...begun, stop_share: 0.1 }, 'stop_share'],
  ['/api/operations', { ...begun, confirm: { counts: 1 } }, 'confirm.counts'],
  [`${LETTER}/replay`, { reason: 'a test', edits: { body: '{}' } }, 'edits'],
  [`${LETTER}/replay`, { reason: 'a test', edit: { boby: '{}' } }, 'edit.boby'],
  [`${LETTER}/discard`, { reason: 'a test', by: 'somebody' }, 'by'],
  [`${LETTER}/restore`, { reason: 'a test', by: 'somebody' }, 'by'],
  [`${OPERATION}/pause`, { reason: 'a test', for: 60 }, 'for'],
  [`${OPERATION}/resume`, { reason: 'a test', rate: 1 }, 'rate'],
  [`${OPERATION}/cancel`, { reason: 'a test', now: true }, 'now'],
  ['/api/destinations/sms/pause', { reason: 'a test', for: 60 }, 'for'],
  ['/api/destinations/sms/resume', { reason: 'a test', for: 60 }, 'for'],
  ['/api/what-if', { policy: { maxAttempt: 4 } }, 'policy.maxAttempt'],
  ['/api/what-if', { filter: { cod: 'NOPE' }, policy: {} }, 'filter.cod'],
  ['/api/session', { token: 'x', user: 'ann' }, 'user'],
])('%s with %j does nothing, and names %s', async (path, body, field) => {
  const answer = await world.as('admin').post(path, body);
  expect(answer.status, answer.text).toBe(400);
  expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', details: { field, in: 'body' } });
  expect(errorOf(answer).message).toContain(field);
});

test.each(['', '/count', '/groups', '/histogram', '/export', '/bundle'])(
  'the letters%s with a filter that is not known are not shown',
  async (route) => {
    const answer = await world.as('viewer').get(`/api/dead-letters${route}?cod=NOPE`);
    expect(answer.status, answer.text).toBe(400);
    expect(errorOf(answer).details).toMatchObject({ field: 'cod', in: 'querystring' });
  },
);

test.each(['/api/overview?minute=5', '/api/operations?state=done', '/api/audit?user=ann', '/api/find?id=x&q=y'])(
  '%s is not answered either',
  async (path) => {
    expect((await world.as('viewer').get(path)).status).toBe(400);
  },
);

test.each([null, '', true, [5], -1, 1.5, '1e3', ' 5', 'yesterday', '2026-01-01'])('%j is no time', async (since) => {
  const answer = await world.as('operator').post('/api/what-if', { filter: { since }, policy: {} });
  expect(answer.status, answer.text).toBe(400);
  expect(errorOf(answer).details).toMatchObject({ field: 'filter.since' });
});

test.each([1_700_000_000_000, '1700000000000', '2023-11-14T22:13:20Z', '2023-11-14T23:13:20+01:00'])(
  '%j is a time',
  async (since) => {
    const answer = await world.as('operator').post('/api/what-if', { filter: { since }, policy: {} });
    expect(answer.status, answer.text).toBe(200);
  },
);

test('of many what-ifs at once some are told to come again', async () => {
  // So many that none is answered before the others have come.
  const { reader, name } = await createWorld();
  await fillLetters(reader, name, 3000);
  const ask = () => world.as('viewer').post('/api/what-if', { policy: { maxAttempts: 20 } });
  const answers = await Promise.all(Array.from({ length: 16 }, ask));
  const busy = answers.filter(({ status }) => status !== 200);
  expect(new Set(busy.map((answer) => `${answer.status} ${errorOf(answer).code}`))).toEqual(new Set(['503 BUSY']));
  expect(answers.length - busy.length).toBeGreaterThanOrEqual(2);
  expect((await ask()).status).toBe(200);
});

test('openapi.json says both forms of a time, and that nothing else may be given', async () => {
  const { body } = await world.ask('/openapi.json');
  const { paths } = body as { paths: Record<string, Record<string, { parameters?: object[]; requestBody?: object }>> };
  const since = paths['/api/dead-letters']?.get?.parameters?.find((one) => 'name' in one && one.name === 'since');
  const forms = JSON.stringify(since);
  for (const form of ['"type":"integer"', '"format":"date-time"', String.raw`^\\d{1,15}$`])
    expect(forms).toContain(form);
  const plan = paths['/api/operations/plan']?.post?.requestBody;
  expect(JSON.stringify(plan)).toContain('"additionalProperties":false');
});
