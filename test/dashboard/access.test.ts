// Who may do what at the dashboard: every rule of dashboard/api/access, on a server that listens.
import { request as rawRequest } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { startDashboard } from '../../dashboard/index.ts';
import { MAX_FAILURES } from '../../dashboard/api/access/failures.ts';
import { type Answer, createDashboardWorld, errorOf, TOKENS, TOKENS_ENV } from '../support/dashboard-world.ts';
import { redisUrl } from '../support/redis.ts';

const OVERVIEW = '/api/operations';
/** A write that every role above viewer may ask for, of a letter that there is not. */
const WRITE = '/api/dead-letters/nobodys/none/discard';
const REASON = { reason: 'a test' };
const writing = (headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(REASON),
});

const told = ({ status, body }: Answer) => [status, (body as { code?: string } | undefined)?.code];

/** With headers that fetch does not let one set. */
const asked = (url: string, headers: Record<string, string | string[]>): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = rawRequest(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });

test('nobody who has not signed in gets more than the sign-in', async () => {
  const world = await createDashboardWorld({ dashboard: { environment: 'production' } });
  expect((await world.ask('/api/session')).body).toEqual({
    signIn: 'token',
    version: '',
    destinations: [],
    now: expect.any(Number) as number,
  });
  expect(told(await world.ask('/api/events'))).toEqual([401, 'UNAUTHENTICATED']);
  expect(told(await world.ask(WRITE, writing()))).toEqual([401, 'UNAUTHENTICATED']);
});

test('a token opens a session, with its role and what the page needs', async () => {
  const world = await createDashboardWorld({ dashboard: { environment: 'production' } });
  const { session, get } = await world.enter('operator');
  expect(session).toMatchObject({
    user: { name: 'otto', role: 'operator' },
    signIn: 'token',
    environment: 'production',
  });
  expect((await get('/api/session')).body).toMatchObject({ user: { name: 'otto' }, csrf: session.csrf });
});

test("the session's cookie is read by no script, sent by no other site, and for this path alone", async () => {
  const world = await createDashboardWorld({ dashboard: { sessionMs: 3_600_000 } }, { base: '/ops/waybill' });
  const open = (origin: string) =>
    world.ask('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ token: TOKENS.viewer }),
    });
  const cookie = (await open(world.origin)).headers.getSetCookie()[0];
  expect(cookie).toMatch(/^waybill_session=[\w.-]+; Path=\/ops\/waybill; Max-Age=3600; HttpOnly; SameSite=Strict$/);
  // A proxy ended TLS: the browser's own words tell.
  const behindTls = await open(world.origin.replace('http:', 'https:'));
  expect(behindTls.headers.getSetCookie()[0]).toMatch(/; SameSite=Strict; Secure$/);
});

test('a viewer is refused what takes an operator, by the server', async () => {
  const world = await createDashboardWorld();
  const viewer = await world.enter('viewer');
  const refused = await viewer.post(WRITE, REASON);
  expect(told(refused)).toEqual([403, 'FORBIDDEN']);
  expect(errorOf(refused).message).toContain('takes the role operator; vera has viewer');
  expect(told(await world.as('viewer').post(WRITE, REASON))).toEqual([403, 'FORBIDDEN']);
  const operator = await world.enter('operator');
  expect(told(await operator.post('/api/destinations/nobodys/pause', REASON))).toEqual([403, 'FORBIDDEN']);
});

test('a write without the token of its session is refused, and so is one with that of another', async () => {
  const world = await createDashboardWorld();
  const otto = await world.enter('operator');
  const again = await world.enter('operator');
  const { 'x-csrf-token': _own, ...without } = otto.headers;
  expect(told(await world.ask(WRITE, writing(without)))).toEqual([403, 'CSRF_REFUSED']);
  const foreign = { ...otto.headers, 'x-csrf-token': again.session.csrf ?? '' };
  expect(told(await world.ask(WRITE, writing(foreign)))).toEqual([403, 'CSRF_REFUSED']);
  expect(told(await otto.post(WRITE, REASON))).toEqual([404, 'NOT_FOUND']);
});

test('a write that a page of another origin asks for is refused, sign-in included', async () => {
  const world = await createDashboardWorld();
  const otto = await world.enter('operator');
  const from = (headers: Record<string, string>) => world.ask(WRITE, writing({ ...otto.headers, ...headers }));
  expect(told(await from({ origin: 'https://evil.example' }))).toEqual([403, 'FOREIGN_ORIGIN']);
  expect(told(await from({ origin: 'null' }))).toEqual([403, 'FOREIGN_ORIGIN']);
  for (const site of ['cross-site', 'same-site']) {
    expect(await asked(`${world.origin}/api/session`, { 'sec-fetch-site': site })).toBe(200);
    expect(told(await from({ 'sec-fetch-site': site }))).toEqual([403, 'FOREIGN_ORIGIN']);
  }
  const headers = { origin: 'https://evil.example', 'content-type': 'application/json' };
  const signIn = await world.ask('/api/session', { method: 'POST', headers, body: `{"token":"${TOKENS.admin}"}` });
  expect(told(signIn)).toEqual([403, 'FOREIGN_ORIGIN']);
});

test('a session that was changed in any character, or whose time is over, is none', async () => {
  const world = await createDashboardWorld({ dashboard: { sessionMs: 60_000 } });
  const { cookie } = await world.enter('viewer');
  const [name = '', value = ''] = cookie.split('=');
  const who = async (changed: string) => {
    const { body } = await world.ask('/api/session', { headers: { cookie: `${name}=${changed}` } });
    return (body as { user?: unknown }).user;
  };
  expect(await who(value)).toEqual({ name: 'vera', role: 'viewer' });
  for (const at of [0, 17, 32, value.length - 2]) {
    const other = value[at] === '1' ? '2' : '1';
    expect(await who(value.slice(0, at) + other + value.slice(at + 1)), `character ${at}`).toBeUndefined();
  }
  const { Date: RealDate } = globalThis;
  onTestFinished(() => void (globalThis.Date = RealDate));
  const later = RealDate.now() + 60_001;
  globalThis.Date = class extends RealDate {
    static override now = () => later;
  } as DateConstructor;
  expect(await who(value)).toBeUndefined();
});

test('a session holds at every process with the same tokens, and ends with its own token alone', async () => {
  const world = await createDashboardWorld();
  const [vera, otto] = [await world.enter('viewer'), await world.enter('operator')];
  const user = async (at: typeof world, { cookie }: { cookie: string }) =>
    ((await at.ask('/api/session', { headers: { cookie } })).body as { user?: { name: string } }).user?.name;
  const another = await createDashboardWorld();
  expect([await user(another, vera), await user(another, otto)]).toEqual(['vera', 'otto']);
  const env = { WAYBILL_DASHBOARD_TOKENS: TOKENS_ENV.WAYBILL_DASHBOARD_TOKENS.replace(/^vera[^,]*,/, '') };
  const without = await createDashboardWorld({}, { env });
  expect([await user(without, vera), await user(without, otto)]).toEqual([undefined, 'otto']);
});

test('signing out takes the cookie away', async () => {
  const world = await createDashboardWorld();
  const { headers } = await world.enter('viewer');
  const out = await world.ask('/api/session', { method: 'DELETE', headers });
  expect(out.headers.getSetCookie()[0]).toMatch(/^waybill_session=; Path=\/; Max-Age=0; HttpOnly/);
  expect(out.body).toMatchObject({ signIn: 'token' });
  const { 'x-csrf-token': _csrf, ...without } = headers;
  expect(told(await world.ask('/api/session', { method: 'DELETE', headers: without }))).toEqual([403, 'CSRF_REFUSED']);
});

test('a script sends its token with each request, and needs neither cookie nor page', async () => {
  const world = await createDashboardWorld();
  expect((await world.as('operator').get('/api/session')).body).toMatchObject({ user: { name: 'otto' } });
  expect(told(await world.as('operator').post(WRITE, REASON))).toEqual([404, 'NOT_FOUND']);
  const wrong = { authorization: 'Bearer somebody-elses-token' };
  expect(told(await world.ask(OVERVIEW, { headers: wrong }))).toEqual([401, 'UNAUTHENTICATED']);
});

test('an address that guesses tokens is refused for a while, also the right one, and however it calls itself', async () => {
  const world = await createDashboardWorld();
  const tries = (token: string, forwarded: string) =>
    world.ask('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': forwarded },
      body: JSON.stringify({ token }),
    });
  for (let i = 0; i < MAX_FAILURES; i++) expect((await tries(`guess ${i}`, `203.0.113.${i}`)).status).toBe(401);
  const refused = await tries(TOKENS.admin, '203.0.113.99');
  expect(told(refused)).toEqual([429, 'RATE_LIMITED']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(told(await world.as('admin').get(OVERVIEW))).toEqual([429, 'RATE_LIMITED']);
});

test('the headers of the trusted proxy say who it is and from where, those of any other peer nothing', async () => {
  const proxied = (from: string[]) =>
    createDashboardWorld(
      { dashboard: { trustedProxy: { userHeader: 'X-User', roleHeader: 'X-Role', from } } },
      { env: {} },
    );
  const headers = { 'x-user': 'grace', 'x-role': 'operator', 'x-forwarded-for': '203.0.113.7' };
  const world = await proxied(['127.0.0.0/8']);
  const known = await world.ask('/api/session', { headers });
  expect(known.body).toMatchObject({ user: { name: 'grace', role: 'operator' }, signIn: 'outside' });
  expect(world.log.find(({ msg }) => msg === 'request')).toMatchObject({ user: 'grace', address: '203.0.113.7' });
  expect((await world.ask('/api/session', { headers: { 'x-user': 'grace' } })).body).toMatchObject({
    user: { role: 'viewer' },
  });
  expect(told(await world.ask('/api/session', { headers: { ...headers, 'x-role': 'root' } }))).toEqual([
    403,
    'FORBIDDEN',
  ]);
  expect(told(await world.ask(OVERVIEW))).toEqual([401, 'UNAUTHENTICATED']);
  // Who is known by a proxy is not asked for a token, but a page elsewhere is kept out all the same.
  const cookie = known.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const write = (more: object) => world.ask(WRITE, writing({ ...headers, cookie, ...more }));
  expect(told(await write({}))).toEqual([403, 'CSRF_REFUSED']);
  expect(told(await write({ 'x-csrf-token': (known.body as { csrf: string }).csrf }))).toEqual([404, 'NOT_FOUND']);

  const elsewhere = await proxied(['192.0.2.1', '2001:db8::/32']);
  const spoofed = await elsewhere.ask('/api/session', { headers });
  expect(told(spoofed)).toEqual([401, 'UNAUTHENTICATED']);
  expect(elsewhere.log.find(({ msg }) => msg === 'request')).toMatchObject({ user: null, address: '127.0.0.1' });
});

test('headers of the proxy that came twice, and an empty role, let nobody in; the cookie of the page is renewed', async () => {
  const trustedProxy = { userHeader: 'X-User', roleHeader: 'X-Role', role: 'admin' as const, from: ['127.0.0.0/8'] };
  const world = await createDashboardWorld({ dashboard: { trustedProxy } }, { env: {} });
  const url = `${world.origin}/api/session`;
  expect(await asked(url, { 'x-user': ['grace', 'eve'] })).toBe(401);
  expect(await asked(url, { 'x-user': 'grace', 'x-role': ['viewer', 'admin'] })).toBe(401);
  expect(await asked(url, { 'x-user': 'grace', 'x-role': '' })).toBe(403);
  const first = await world.ask('/api/session', { headers: { 'x-user': 'grace' } });
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const again = await world.ask('/api/session', { headers: { 'x-user': 'grace', cookie } });
  expect(again.headers.getSetCookie()[0]).toContain(`${cookie}; `);
  expect(again.body).toMatchObject({ csrf: (first.body as { csrf: string }).csrf });
});

test('without any sign-in the dashboard is there for this machine alone, as its user', async () => {
  const world = await createDashboardWorld({}, { env: {}, localName: 'ada@desk' });
  const known = await world.ask('/api/session');
  expect(known.body).toMatchObject({ user: { name: 'ada@desk', role: 'admin' }, signIn: 'none' });
  const url = `${world.origin}/api/session`;
  expect(await asked(url, { host: `localhost:${world.port}` })).toBe(200);
  expect(await asked(url, { host: `[::1]:${world.port}` })).toBe(200);
  // A name whose DNS was made to point here, and a proxy that lets others in.
  expect(await asked(url, { host: `rebound.example:${world.port}` })).toBe(403);
  expect(await asked(url, { host: `127.0.0.1.rebound.example:${world.port}` })).toBe(403);
  expect(await asked(url, { 'x-forwarded-for': '203.0.113.7' })).toBe(403);
  expect(told(await world.ask(WRITE, writing()))).toEqual([403, 'CSRF_REFUSED']);
  const cookie = known.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const headers = { cookie, 'x-csrf-token': (known.body as { csrf: string }).csrf };
  expect(told(await world.ask(WRITE, writing(headers)))).toEqual([404, 'NOT_FOUND']);
  const body = JSON.stringify({ token: TOKENS.admin });
  const signIn = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  expect(told(await world.ask('/api/session', signIn))).toEqual([404, 'NOT_FOUND']);
});

test.each(['0.0.0.0', '::', '192.0.2.1', 'dashboard.example'])(
  'nobody listens on %s where nobody would have to sign in',
  async (host) => {
    const starting = startDashboard({ redis: { url: redisUrl() }, dashboard: { host, port: 0 } }, { env: {} });
    await expect(starting).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/dashboard\.host: .*WAYBILL_DASHBOARD_TOKENS.*or take 127\.0\.0\.1/) as string,
    });
  },
);

test('with tokens it may listen on every address', async () => {
  const world = await createDashboardWorld({ dashboard: { host: '0.0.0.0' } });
  expect(await asked(`http://127.0.0.1:${world.port}/api/session`, { host: 'dashboard.example' })).toBe(200);
});

test.each([
  ['vera:viewer:short', 'entry 1 of WAYBILL_DASHBOARD_TOKENS (vera) must have a token of 16 to 500 characters'],
  [
    'vera:reader:viewer-token-of-vera',
    'entry 1 of WAYBILL_DASHBOARD_TOKENS (vera) must have a role of viewer, operator, admin',
  ],
  ['viewer-token-of-vera', 'entry 1 of WAYBILL_DASHBOARD_TOKENS must begin with a name'],
  [
    'a:viewer:viewer-token-of-vera\nb:admin:viewer-token-of-vera',
    'entry 2 of WAYBILL_DASHBOARD_TOKENS has the token of another',
  ],
  ['', 'WAYBILL_DASHBOARD_TOKENS holds no entry'],
])('a wrong entry in the list of tokens is named, and no token is: %j', async (text, message) => {
  const starting = startDashboard({ redis: { url: redisUrl() } }, { env: { WAYBILL_DASHBOARD_TOKENS: text } });
  const error: unknown = await starting.catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringContaining(message) as string });
  expect(String(error)).not.toContain('viewer-token-of-vera');
});
