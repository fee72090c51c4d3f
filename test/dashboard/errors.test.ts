// Every error of the dashboard, in the contract's own envelope, and nothing of its inside.
import { connect } from 'node:net';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { createDashboard } from '../../dashboard/index.ts';
import { errorEnvelope } from '../../dashboard/api/contract/session.ts';
import { type Answer, createDashboardWorld, errorOf, request } from '../support/dashboard-world.ts';
import { createFiller, says } from '../support/dead-letters-filler.ts';
import { startProxy } from '../support/proxy.ts';
import { redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';

const DISCARD = '/api/dead-letters/nobodys/none/discard';

function expectEnvelope(answer: Answer, status: number, code: string): void {
  expect([answer.status, errorOf(answer)?.code]).toEqual([status, code]);
  expect(errorEnvelope.strict().parse(answer.body).request_id).toBe(answer.headers.get('x-request-id'));
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
}

test('wrong input is named by its field', async () => {
  const world = await createDashboardWorld();
  const query = await world.as('viewer').get('/api/dead-letters?status=9');
  expectEnvelope(query, 400, 'VALIDATION_ERROR');
  expect(errorOf(query).details).toMatchObject({ field: 'status', in: 'querystring' });
  const body = await world.as('operator').post(DISCARD, { reason: ' ' });
  expectEnvelope(body, 400, 'VALIDATION_ERROR');
  expect(errorOf(body).message).toMatch(/^body reason: /);
});

test('what is no JSON, no JSON type, or too large is refused before it is looked at', async () => {
  const world = await createDashboardWorld();
  const post = (type: string, body: string) =>
    world.ask(DISCARD, {
      method: 'POST',
      headers: { authorization: `Bearer operator-token-of-otto`, 'content-type': type },
      body,
    });
  expectEnvelope(await post('application/json', '{"reason":'), 400, 'VALIDATION_ERROR');
  expectEnvelope(await post('application/json', '{"reason":"x","__proto__":{"a":1}}'), 400, 'VALIDATION_ERROR');
  expectEnvelope(await post('text/plain', '{"reason":"x"}'), 415, 'UNSUPPORTED_MEDIA_TYPE');
  expectEnvelope(await post('application/x-www-form-urlencoded', 'reason=x'), 415, 'UNSUPPORTED_MEDIA_TYPE');
  const large = await post('application/json', `{"reason":"${'x'.repeat(12_000_000)}"}`).catch((error: Error) => error);
  // The server ends the connection under a body that it does not read: not every client reads the answer then.
  if (!(large instanceof Error)) expectEnvelope(large, 413, 'PAYLOAD_TOO_LARGE');
});

test('what is not there, and who may not, are told the same way', async () => {
  const world = await createDashboardWorld();
  expectEnvelope(await world.as('operator').post(DISCARD, { reason: 'x' }), 404, 'NOT_FOUND');
  expectEnvelope(await world.ask('/api/nothing', { method: 'POST' }), 404, 'NOT_FOUND');
  expectEnvelope(await world.ask('/api/dead-letters/%ff/x'), 400, 'VALIDATION_ERROR');
  expectEnvelope(await world.ask('/api/overview'), 401, 'UNAUTHENTICATED');
  expectEnvelope(await world.as('viewer').post(DISCARD, { reason: 'x' }), 403, 'FORBIDDEN');
});

test('a letter that somebody else has handled is a conflict that says who', async () => {
  const filler = await createFiller({ sms: {} });
  onTestFinished(() => filler.close());
  const [dead] = await filler.die('sms', [{ answers: [says(404, 'SUBSCRIPTION_NOT_FOUND')] }]);
  const world = await createDashboardWorld(filler.config);
  const path = `/api/dead-letters/${filler.names.sms}/${dead?.letter}/discard`;
  expect((await world.as('operator').post(path, { reason: 'cancelled' })).status).toBe(200);
  const second = await world.as('admin').post(path, { reason: 'me too' });
  expectEnvelope(second, 409, 'LETTER_HANDLED');
  expect(errorOf(second).message).toContain('otto');
});

test('of a fault of its own the page is told no more than the request_id, and the log has more', async () => {
  const log: string[] = [];
  const app = Fastify({ logger: { stream: { write: (line: string) => void log.push(line) } } });
  onTestFinished(() => app.close());
  const resolveUser = (): never => {
    throw new Error('select * from users at redis://:hunter2@10.0.0.1');
  };
  await app.register(createDashboard({ redis: { url: redisUrl() } }, { resolveUser }));
  const url = await app.listen({ port: 0 });
  const answer = await request(`${url}/api/session`);
  expectEnvelope(answer, 500, 'INTERNAL_ERROR');
  expect(answer.text).not.toMatch(/select|hunter2|10\.0\.0\.1|Error:/);
  const line = log.find((text) => text.includes('select * from users'));
  expect(line).toContain(errorOf(answer).request_id);
  expect(line).not.toContain('hunter2');
});

test('while Redis is away every route says so, and when it is back they answer again', async () => {
  const { hostname, port } = new URL(redisUrl());
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  onTestFinished(() => proxy.close());
  const world = await createDashboardWorld({ redis: { url: proxy.url('redis') } });
  const viewer = world.as('viewer');
  expect((await viewer.get('/api/dead-letters')).status).toBe(200);
  await proxy.refuse();
  const away = await viewer.get('/api/dead-letters');
  expectEnvelope(away, 503, 'QUEUE_UNAVAILABLE');
  expect(away.headers.get('retry-after')).toBe('2');
  // Who is here is known without Redis.
  expect((await viewer.get('/api/session')).body).toMatchObject({ user: { name: 'vera' } });
  await proxy.restore();
  await eventually(async () => expect((await viewer.get('/api/dead-letters')).status).toBe(200), 20_000);
});

test('one line is logged for each request, with its id, and nothing that a person sent', async () => {
  const world = await createDashboardWorld();
  const { headers, post } = await world.enter('operator');
  const answer = await post(`${DISCARD}?q=secret-query`, { reason: 'secret-reason' });
  const requests = await eventually(() => {
    const found = world.log.filter(({ msg }) => msg === 'request');
    expect(found).toHaveLength(2);
    return found;
  });
  expect(requests[1]).toMatchObject({
    request_id: errorOf(answer).request_id,
    method: 'POST',
    path: DISCARD,
    status: 404,
    user: 'otto',
    address: '127.0.0.1',
  });
  const text = JSON.stringify(world.log);
  const secrets = ['secret-', headers.cookie ?? '', headers['x-csrf-token'] ?? '', 'operator-token-of-otto'];
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test('a request that is no HTTP harms nobody', async () => {
  const world = await createDashboardWorld();
  const socket = connect(world.port, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve) => {
    socket.once('close', resolve);
    socket.write('EHLO dashboard\r\n\r\n');
    socket.resume();
  });
  expect((await world.ask('/api/session')).status).toBe(200);
});
