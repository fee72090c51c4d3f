// The sandbox API's own contract: routes, authentication, the error envelope, what each write asks of its body, and how
// it starts and closes.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { createSandbox } from '../../dev/testing.ts';
import { codeOf, jsonOf, newKey, OPT_IN, planned, post, startSandbox, VALID_BODY } from './sandbox-client.ts';

it('an error is the envelope, and its request_id is also in the X-Request-Id header', async () => {
  const refused = await post(await startSandbox(), { body: { phone_number: '0333' } });
  expect(refused.status).toBe(400);
  expect(refused.headers.get('content-type')).toMatch(/^application\/json/);
  expect(jsonOf(refused)).toEqual({
    code: 'VALIDATION_ERROR',
    message: 'phone_number must be a valid E.164 number.',
    request_id: refused.headers.get('x-request-id'),
    details: { field: 'phone_number' },
  });
});

it.each([
  ['/v1/profiles', { email: 'ann@example.com', attributes: { size: 'M' } }],
  ['/v1/profiles', { phone_number: '+393331234567' }],
  [OPT_IN, VALID_BODY],
  ['/v1/sales-events', { store_id: 's1', amount: '0.01', currency: 'EUR' }],
  ['/v1/stores', { name: 'Corner', country: 'IT' }],
])('a valid write to %s is answered 201 with an id and a request_id', async (path, body) => {
  const created = await post(await startSandbox(), { path, body });
  expect(created.status).toBe(201);
  expect(jsonOf(created)).toEqual({ id: expect.any(String), request_id: created.headers.get('x-request-id') });
});

it.each([
  ['/v1/profiles', { email: 'ann' }, 'email'],
  ['/v1/profiles', { phone_number: 393331234567 }, 'phone_number'],
  ['/v1/profiles', { email: 'ann@example.com', attributes: [] }, 'attributes'],
  [OPT_IN, {}, 'phone_number'],
  [OPT_IN, { phone_number: '+0123' }, 'phone_number'],
  ['/v1/sales-events', { store_id: 1, amount: 1, currency: 'EUR' }, 'store_id'],
  ['/v1/sales-events', { store_id: 's1', amount: 0, currency: 'EUR' }, 'amount'],
  ['/v1/sales-events', { store_id: 's1', amount: '-1', currency: 'EUR' }, 'amount'],
  ['/v1/sales-events', { store_id: 's1', amount: 1, currency: 'EURO' }, 'currency'],
  ['/v1/stores', { name: ' ' }, 'name'],
  ['/v1/stores', { name: 'Corner', country: 'ITA' }, 'country'],
])('%s with %j is a VALIDATION_ERROR that names the field %s', async (path, body, field) => {
  const refused = await post(await startSandbox(), { path, body });
  expect(refused.status).toBe(400);
  expect(jsonOf(refused)).toMatchObject({ code: 'VALIDATION_ERROR', details: { field } });
});

it('an offence that no single field is to blame for has no details', async () => {
  const sandbox = await startSandbox();
  expect(jsonOf(await post(sandbox, { path: '/v1/profiles', body: {} }))).not.toHaveProperty('details');
  expect(jsonOf(await post(sandbox, { body: [] }))).not.toHaveProperty('details');
});

it.each(['', '{', '{"phone_number": "+39333"', 'nonsense'])('the body %j is INVALID_JSON', async (body) => {
  const refused = await post(await startSandbox(), { body });
  expect([refused.status, codeOf(refused)]).toEqual([400, 'INVALID_JSON']);
});

it('an amount may have more digits than a JavaScript number keeps', async () => {
  const body = '{"store_id":"s1","amount":12345678901234567890.123456789,"currency":"EUR"}';
  expect((await post(await startSandbox(), { path: '/v1/sales-events', body })).status).toBe(201);
});

it('a body over 1 MiB is answered 413, also while the client is still sending', async () => {
  const sandbox = await startSandbox();
  const refused = await post(sandbox, { key: newKey(), body: ' '.repeat(8 * 1_048_576) });
  expect([refused.status, codeOf(refused)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  expect((await post(sandbox, { body: JSON.stringify(VALID_BODY).padEnd(1_048_576) })).status).toBe(201);
});

it('an unknown path is answered 404, another method 405 with what is allowed', async () => {
  const sandbox = await startSandbox();
  const unknown = await post(sandbox, { path: '/v1/nothing' });
  expect([unknown.status, codeOf(unknown)]).toEqual([404, 'NOT_FOUND']);
  expect((await fetch(`${sandbox.url}/v1/nothing`)).status).toBe(404);
  const wrongMethod = await fetch(`${sandbox.url}/v1/profiles`);
  expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST']);
});

it.each([
  ['', 'AUTH_MISSING_API_KEY'],
  ['wrong', 'AUTH_INVALID_API_KEY'],
  ['revoked-key', 'AUTH_REVOKED_API_KEY'],
  ['expired-key', 'AUTH_EXPIRED_API_KEY'],
])('the API key %j is answered 401 %s, before the plan and the ledger', async (apiKey, code) => {
  const sandbox = await startSandbox();
  const key = newKey();
  const refused = await post(sandbox, { key, body: planned('503'), headers: { 'x-api-key': apiKey } });
  expect([refused.status, codeOf(refused)]).toEqual([401, code]);
  expect(sandbox.entry(key)).toBeUndefined();
});

it('no x-api-key header at all is AUTH_MISSING_API_KEY', async () => {
  const sandbox = await startSandbox();
  const response = await fetch(`${sandbox.url}${OPT_IN}`, { method: 'POST', body: '{}' });
  expect(await response.json()).toMatchObject({ code: 'AUTH_MISSING_API_KEY' });
});

it('the API key is the one it was started with', async () => {
  const sandbox = await startSandbox({ apiKey: 'other' });
  expect((await post(sandbox)).status).toBe(401);
  expect((await post(sandbox, { headers: { 'x-api-key': 'other' } })).status).toBe(201);
});

it('it listens on IPv6 loopback too', async () => {
  const sandbox = await startSandbox({ host: '::1' });
  expect(sandbox.url).toBe(`http://[::1]:${sandbox.port}`);
  expect((await post(sandbox)).status).toBe(201);
});

it('a port that is taken is refused with the port and the cause', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(createSandbox({ port })).rejects.toMatchObject({
    message: expect.stringContaining(`cannot listen on 127.0.0.1, port ${port}`),
    cause: { code: 'EADDRINUSE' },
  });
});

it('close() ends hanging and slow sends, frees the port, and may be called twice', async () => {
  const sandbox = await createSandbox();
  const open = ['hang', 'hang-applied', 'slow:60000', 'drip-500:60000'].map((step) =>
    post(sandbox, { key: step, body: planned(step) }).catch(() => 'cut off'),
  );
  while (Object.keys(sandbox.ledger().keys).length < open.length) await new Promise(setImmediate);
  await Promise.all([sandbox.close(), sandbox.close()]);
  expect(await Promise.all(open)).toEqual(open.map(() => 'cut off'));
  const again = await createSandbox({ port: sandbox.port });
  await again.close();
});
