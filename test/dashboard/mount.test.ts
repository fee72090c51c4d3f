// The dashboard in a host application: below a path, with the application's own people, and nothing of it changed.
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyRequest } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { createDashboard, type DashboardOptions, type User } from '../../dashboard/index.ts';
import { createDashboardWorld, errorOf, request } from '../support/dashboard-world.ts';
import { redisUrl } from '../support/redis.ts';

const config = { redis: { url: redisUrl() } };
const resolveUser = ({ headers }: FastifyRequest): User | undefined =>
  headers['x-who'] === undefined ? undefined : { name: String(headers['x-who']), role: 'operator' };

async function host(base: string, options: DashboardOptions = {}) {
  const app = Fastify();
  onTestFinished(() => app.close());
  await app.register(cookie);
  await app.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ['https:'] } } });
  app.get('/', async () => ({ host: 'home' }));
  app.post('/form', async (asked) => ({ got: asked.body }));
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send({ host: 'error' }));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'not found' }));
  await app.register(createDashboard(config, { base, resolveUser, ...options }));
  return app.listen({ port: 0 });
}

test('it answers below its path, with the people of the application', async () => {
  const url = await host('/ops/waybill');
  const known = await request(`${url}/ops/waybill/api/session`, { headers: { 'x-who': 'grace' } });
  expect(known.body).toMatchObject({ user: { name: 'grace', role: 'operator' }, signIn: 'outside' });
  expect(known.headers.getSetCookie()[0]).toContain('; Path=/ops/waybill;');
  const stranger = await request(`${url}/ops/waybill/api/overview`);
  expect([stranger.status, errorOf(stranger).code]).toEqual([401, 'UNAUTHENTICATED']);
  expect((await request(`${url}/ops/waybill/openapi.json`)).status).toBe(200);
});

test('it may be registered with a prefix, and as often as one likes', async () => {
  const app = Fastify();
  onTestFinished(() => app.close());
  await app.register(createDashboard(config, { resolveUser }), { prefix: '/one' });
  await app.register(createDashboard(config, { resolveUser, base: '/inner' }), { prefix: '/two' });
  const url = await app.listen({ port: 0 });
  for (const base of ['/one', '/two/inner']) {
    const answer = await request(`${url}${base}/api/session`, { headers: { 'x-who': 'grace' } });
    expect(answer.headers.getSetCookie()[0]).toContain(`; Path=${base};`);
  }
});

test("the application's own routes, errors and headers stay as they are, and the dashboard has its own", async () => {
  const url = await host('/ops');
  expect((await request(`${url}/`)).body).toEqual({ host: 'home' });
  expect((await request(`${url}/`)).headers.get('content-security-policy')).toContain('default-src https:');
  expect((await request(`${url}/nowhere`)).body).toEqual({ host: 'not found' });
  const text = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'plain' };
  expect((await request(`${url}/form`, text)).body).toEqual({ got: 'plain' });
  const inside = await request(`${url}/ops/api/nothing`, { headers: { 'x-who': 'grace' } });
  expect(errorOf(inside).code).toBe('NOT_FOUND');
  expect(inside.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
});

test('it cannot be mounted where nothing says who is there', () => {
  expect(() => createDashboard(config, { env: {} })).toThrow(
    expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining('give resolveUser') as string }),
  );
});

test.each(['ops', '/ops//x', '/a b', '/<script>', 'https://x.example/'])('%j is no base path', (base) => {
  expect(() => createDashboard(config, { base, resolveUser })).toThrow(
    expect.objectContaining({ code: 'INVALID_CONFIG' }),
  );
});

test('every view is one document that knows its base path, with no inline script or style', async () => {
  for (const base of ['', '/ops/waybill']) {
    const world = await createDashboardWorld({}, { base });
    for (const view of ['/', '/groups', '/dead-letters/sms/w4aA.g0?x=1']) {
      const page = await world.ask(view);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.text).toContain(`<base href="${base}/" />`);
      expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    }
  }
});

test('what the page is made of is served compressed, and kept for ever by its name', async () => {
  const world = await createDashboardWorld({}, { base: '/ops' });
  const { text } = await world.ask('/');
  const [, asset = ''] = /src="\.(\/assets\/[^"]+\.js)"/.exec(text) ?? [];
  const script = await world.ask(asset, { headers: { 'accept-encoding': 'br' } });
  expect(script.status).toBe(200);
  expect(script.headers.get('content-encoding')).toBe('br');
  expect(script.headers.get('content-type')).toMatch(/^(?:text|application)\/javascript/);
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(script.headers.get('x-content-type-options')).toBe('nosniff');
  const [, icon = ''] = /href="\.(\/[^"]+\.svg)"/.exec(text) ?? [];
  const kept = await world.ask(icon);
  expect([kept.status, kept.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
  const gone = await world.ask('/assets/gone-1234.js');
  expect([gone.status, errorOf(gone).code]).toEqual([404, 'NOT_FOUND']);
});
