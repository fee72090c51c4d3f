import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditList } from '../../dashboard/api/contract/audit.ts';
import { operation, operationItems, operationList, plan } from '../../dashboard/api/contract/operations.ts';
import { errorEnvelope } from '../../dashboard/api/contract/session.ts';
import { createFiller, type Filler, says } from '../support/dead-letters-filler.ts';
import { eventually } from '../support/world.ts';
import { type Office, startOffice } from './routes-office.ts';

const SECRET = 'DE89370400440532013000';

let filler: Filler;
let office: Office;
let name: string;
let letters: string[];

beforeAll(async () => {
  filler = await createFiller({ sms: { redact: { body: ['/iban'] } } });
  office = await startOffice(filler.config);
  name = filler.names.sms ?? '';
  const death = (n: number) => ({
    answers: [says(422, 'VALIDATION_ERROR', { message: `no ${SECRET}`, details: { field: n % 2 ? 'iban' : 'name' } })],
    write: { body: { iban: SECRET, n: `number-${n}` } },
  });
  letters = (
    await filler.die(
      'sms',
      Array.from({ length: 6 }, (_, n) => death(n)),
    )
  ).map(({ letter }) => letter);
});
afterAll(async () => {
  await office?.stop();
  await filler?.close();
});

const planned = async (filter: object, act = 'discard') =>
  office.as('ann').post('/api/operations/plan', { act, destination: name, target: { filter } });

test('a plan counts what the list shows, its sample is masked, and it is for operators', async () => {
  const { json, text, status } = await planned({ field: 'iban', since: 1, replayed: 'no' }, 'replay');
  expect(status, text).toBe(200);
  expect(plan.parse(json)).toMatchObject({ count: 3, examined: 3, allowed: 3, sample: [{}, {}, {}] });
  expect(text).not.toContain(SECRET);
  const viewer = await office.as('vera').post('/api/operations/plan', {
    act: 'discard',
    destination: name,
    target: { ids: letters },
  });
  expect(viewer.status).toBe(403);
});

test('a text is searched in what is shown: a masked value means no letter', async () => {
  expect(plan.parse((await planned({ q: 'NUMBER-3' })).json)).toMatchObject({ count: 1 });
  const guess = await planned({ q: SECRET.slice(0, 6) });
  expect(guess.status).toBe(409);
  expect(errorEnvelope.parse(guess.json)).toMatchObject({ code: 'OPERATION_REFUSED', details: { field: 'EMPTY' } });
});

test('a text that somebody typed is written down nowhere where values are masked, and a masked one begins nothing', async () => {
  const ann = office.as('ann');
  const frozenAt = Date.now();
  const begin = (q: string) =>
    ann.post('/api/operations', {
      act: 'discard',
      destination: name,
      target: { filter: { q } },
      frozenAt,
      reason: 'a test',
      rate: 0.1,
    });
  expect((await begin(SECRET)).status).toBe(409);
  const created = await begin('number-5');
  expect(created.status, created.text).toBe(201);
  const { id } = operation.parse(created.json);
  await ann.post(`/api/operations/${name}/${id}/cancel`, { reason: 'enough' });
  for (const route of [
    `/api/operations/${name}/${id}`,
    `/api/operations?destination=${name}`,
    `/api/audit?destination=${name}`,
  ]) {
    const { status, text } = await ann.get(route);
    expect(status).toBe(200);
    expect(text).toContain(id);
    for (const typed of [SECRET, 'number-5']) expect(text, route).not.toContain(typed);
  }
});

test('an operation is created by who is signed in, shown with its filter, paused, cancelled, and in the audit', async () => {
  const ann = office.as('ann');
  const filter = { code: 'VALIDATION_ERROR', field: 'name', since: '2020-01-01T00:00:00Z', replayed: 'no' };
  const { frozenAt } = plan.parse((await planned(filter)).json);
  const asked = { act: 'discard', destination: name, target: { filter }, frozenAt, reason: 'test data', rate: 0.1 };
  expect((await ann.post('/api/operations', { ...asked, by: 'somebody else' })).status).toBe(400);
  const { json, status, text } = await ann.post('/api/operations', asked);
  expect(status, text).toBe(201);
  const created = operation.parse(json);
  expect(created).toMatchObject({
    by: 'ann',
    reason: 'test data',
    total: 3,
    filter: { field: 'name', replayed: 'no' },
  });
  const at = `/api/operations/${name}/${created.id}`;
  const list = operationList.parse((await office.as('vera').get(`/api/operations?destination=${name}`)).json);
  expect(list.operations[0]?.id).toBe(created.id);
  const one = operationList.parse((await ann.get(`/api/operations?destination=${name}&limit=1`)).json);
  expect(one.operations.map(({ id }) => id)).toEqual([created.id]);
  expect((await office.as('vera').post(`${at}/pause`, { reason: 'I may not' })).status).toBe(403);
  expect(operation.parse((await ann.post(`${at}/pause`, { reason: 'wait' })).json)).toMatchObject({ state: 'paused' });
  const again = await ann.post(`${at}/pause`, { reason: 'wait' });
  expect(again.status).toBe(409);
  expect(errorEnvelope.parse(again.json)).toMatchObject({ code: 'OPERATION_REFUSED' });
  await ann.post(`${at}/cancel`, { reason: 'enough' });
  expect(operation.parse((await ann.get(at)).json)).toMatchObject({ state: 'cancelled' });
  operationItems.parse((await ann.get(`${at}/items?limit=500`)).json);
  const { entries } = auditList.parse((await ann.get(`/api/audit?destination=${name}`)).json);
  expect(entries.filter((entry) => entry.operation === created.id).map(({ act }) => act)).toEqual(
    expect.arrayContaining(['operation-created', 'operation-paused', 'operation-cancelled']),
  );
  const written = entries.find((entry) => entry.operation === created.id)?.filter ?? '';
  expect(Object.fromEntries(new URLSearchParams(written))).toMatchObject({ field: 'name', replayed: 'no' });
  expect((await ann.get(`/api/dead-letters?${written}`)).status).toBe(200);
  expect((await ann.get(`/api/operations/${name}/nobody`)).status).toBe(404);
});

test('what letters must not have is part of the filter, and is shown and written down with the operation', async () => {
  expect(plan.parse((await planned({ without: 'field' })).json)).toMatchObject({ count: 0 });
  const filter = { without: 'code,field' };
  const [bare = ''] = (await filler.die('sms', [{ answers: [], options: { expiresAt: Date.UTC(2020, 0) } }])).map(
    ({ letter }) => letter,
  );
  const { frozenAt, count } = plan.parse((await planned(filter)).json);
  expect(count).toBe(1);
  const asked = { act: 'discard', destination: name, target: { filter }, frozenAt, reason: 'a test' };
  expect(operation.parse((await office.as('ann').post('/api/operations', asked)).json)).toMatchObject({ filter });
  const { entries } = auditList.parse((await office.as('ann').get(`/api/audit?destination=${name}`)).json);
  expect(entries.find(({ act }) => act === 'operation-created')?.filter).toContain('without=code%2Cfield');
  await eventually(async () => {
    const { json } = await office.as('ann').get(`/api/dead-letters/${name}/${bare}`);
    expect(json).toMatchObject({ letter: { state: 'discarded' } });
  });
});
