// openapi.json against the contract and against the running server.
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { auditList, found } from '../../dashboard/api/contract/audit.ts';
import { groupList, histogram, letterCount, letterDetail, letterList } from '../../dashboard/api/contract/letters.ts';
import { operation, operationItems, operationList, plan } from '../../dashboard/api/contract/operations.ts';
import { overview } from '../../dashboard/api/contract/overview.ts';
import { ROUTES } from '../../dashboard/api/contract/routes.ts';
import { session } from '../../dashboard/api/contract/session.ts';
import { whatIf } from '../../dashboard/api/contract/what-if.ts';
import { createDashboardWorld } from '../support/dashboard-world.ts';
import { createFiller, usual } from '../support/dead-letters-filler.ts';

interface Document {
  openapi: string;
  security?: unknown[];
  paths: Record<string, Record<string, Described>>;
}

interface Described {
  operationId?: string;
  responses: Record<string, unknown>;
  security?: unknown[];
}

test('openapi.json is valid OpenAPI 3.1, and names every route of the contract and no other', async () => {
  const world = await createDashboardWorld({}, { base: '/ops' });
  const { body } = await world.ask('/openapi.json');
  const document = body as Document;
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(await new Validator().validate(structuredClone(body) as Record<string, unknown>)).toMatchObject({
    valid: true,
  });
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
  );
  const contract = Object.entries(ROUTES).map(
    ([name, { method, path }]) => `${name} ${method} /ops${path.replaceAll(/:(\w+)/g, '{$1}')}`,
  );
  expect(described.toSorted()).toEqual(contract.toSorted());
});

test('openapi.json asks for a token or a session everywhere but where one signs in', async () => {
  const world = await createDashboardWorld();
  const { security, paths } = (await world.ask('/openapi.json')).body as Document;
  expect(security).toEqual([{ token: [] }, { session: [] }]);
  const open = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap((one) => (one.security?.length === 0 ? [String(one.operationId)] : []));
  const anyone = Object.entries(ROUTES).flatMap(([route, { role }]) => (role === 'anyone' ? [route] : []));
  expect(open.toSorted()).toEqual(anyone.toSorted());
});

test('what each route really answers is what openapi.json and the contract say, with nothing besides', async () => {
  const filler = await createFiller({ sms: {} });
  onTestFinished(() => filler.close());
  const name = filler.names.sms ?? '';
  const dead = await filler.die('sms', usual(8));
  const world = await createDashboardWorld(filler.config);
  const operator = world.as('operator');
  const at = `/api/dead-letters/${name}/${dead[0]?.letter}`;
  const meant = { act: 'discard', destination: name, target: { filter: {} } };
  const planned = await operator.post('/api/operations/plan', meant);
  const { frozenAt, count } = planned.body as { frozenAt: number; count: number };
  const created = await operator.post('/api/operations', {
    ...meant,
    frozenAt,
    reason: 'a test',
    rate: 1000,
    confirm: { count },
  });
  const { id } = created.body as { id: string };
  const answers: [z.ZodType, Awaited<ReturnType<typeof operator.get>>][] = [
    [session, await operator.get('/api/session')],
    [overview, await operator.get('/api/overview')],
    [letterList, await operator.get(`/api/dead-letters?destination=${name}&limit=2`)],
    [letterCount, await operator.get('/api/dead-letters/count')],
    [groupList, await operator.get('/api/dead-letters/groups')],
    [histogram, await operator.get('/api/dead-letters/histogram')],
    [letterDetail, await operator.get(at)],
    [plan, planned],
    [operation, created],
    [operationList, await operator.get('/api/operations')],
    [operation, await operator.get(`/api/operations/${name}/${id}`)],
    [operationItems, await operator.get(`/api/operations/${name}/${id}/items`)],
    [auditList, await operator.get('/api/audit')],
    [found, await operator.get(`/api/find?id=${dead[0]?.key}`)],
    [whatIf, await operator.post('/api/what-if', { policy: { maxAttempts: 8 } })],
  ];
  for (const [schema, { status, text, body }] of answers) {
    expect(status, text).toBeLessThan(300);
    // Parsing leaves out what a schema does not name: nothing may be missing afterwards.
    expect(schema.parse(body)).toEqual(body);
  }
});
