// The ways in: a token, as a session or in the request itself; a proxy or a host application that says who it is; or,
// on this machine alone, whoever is there.
import { hash, randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../../core/config.ts';
import { ROLES } from '../../../core/role.ts';
import type { User } from '../app.ts';
import { ApiError } from '../errors.ts';
import { cookies, PAGE_COOKIE, SESSION_COOKIE, setCookie } from './cookies.ts';
import { countFailures } from './failures.ts';
import { hostName, isLoopback } from './loopback.ts';
import { peerCheck } from './peers.ts';
import { csrfOf, type OpenSession, openSession, readSession } from './session-cookie.ts';
import type { TokenHolder, TokenList } from './token-list.ts';
import type { Visit } from './visit.ts';

/** Who a request of a host application comes from; undefined for somebody who may not be here. */
export type ResolveUser = (request: FastifyRequest) => User | undefined | Promise<User | undefined>;

export interface AccessOptions {
  settings: Config['dashboard'];
  tokens: TokenList | undefined;
  resolveUser: ResolveUser | undefined;
  /** Everybody who reaches the dashboard, where there is no other way in. */
  local: User | undefined;
  /** Of the cookies. */
  path: string;
}

export interface Access {
  readonly signIn: 'token' | 'outside' | 'none';
  /**
   * @param reply where a cookie may be set: of the one request by which a page begins, for of two at once the browser
   *   would keep one cookie, and the page perhaps the token of the other
   * @throws ApiError 401 for a token that nobody holds, 403 where the way here is none, 429
   */
  visit(request: FastifyRequest, reply?: FastifyReply): Promise<Visit>;
  /** @throws ApiError 401, 404 where one signs in elsewhere, 429 */
  open(token: string, request: FastifyRequest, reply: FastifyReply): Visit;
  end(request: FastifyRequest, reply: FastifyReply): void;
}

const MAX_NAME = 200;
const PAGE_COOKIE_FORM = /^[\w-]{22}$/;

export function createAccess({ settings, tokens, resolveUser, local, path }: AccessOptions): Access {
  const { trustedProxy, sessionMs } = settings;
  const isProxy = trustedProxy && peerCheck(trustedProxy.from);
  const failures = countFailures();
  const outside = resolveUser !== undefined || trustedProxy !== undefined;
  const signIn = outside ? 'outside' : tokens ? 'token' : 'none';

  const holderOf = (token: string, { ip }: FastifyRequest): TokenHolder => {
    const now = Date.now();
    const waitMs = failures.waitMs(ip, now);
    if (waitMs > 0) throw tooMany(waitMs);
    const holder = tokens?.holderOf(token);
    if (holder) return holder;
    failures.note(ip, now);
    throw new ApiError(401, 'UNAUTHENTICATED', 'nobody holds this token');
  };

  const signedIn = (request: FastifyRequest): Visit => {
    const now = Date.now();
    for (const value of cookies(request, SESSION_COOKIE)) {
      const session = tokens && readSession(tokens, value, now);
      if (session) return visitIn(session);
    }
    return {};
  };

  /** Whom somebody else vouches for has no session of ours; what his writes are told by is bound to a cookie. */
  const vouched = (user: User | undefined, request: FastifyRequest, reply?: FastifyReply): Visit => {
    if (!user) return {};
    let value = cookies(request, PAGE_COOKIE).find((one) => PAGE_COOKIE_FORM.test(one));
    value ??= randomBytes(16).toString('base64url');
    // Each time anew, so that it does not run out under a page that is in use.
    if (reply) setCookie({ request, reply }, { name: PAGE_COOKIE, value, path, maxAgeS: Math.floor(sessionMs / 1000) });
    return { user, csrf: hash('sha256', `waybill dashboard csrf ${value}`, 'base64url') };
  };

  const ofProxy = (request: FastifyRequest): User | undefined => {
    if (!trustedProxy || !isProxy?.(request.socket.remoteAddress ?? '')) {
      throw new ApiError(401, 'UNAUTHENTICATED', 'the dashboard is reached through its proxy only');
    }
    const name = single(request, trustedProxy.userHeader);
    if (name === undefined || name === '') return undefined;
    const role = (trustedProxy.roleHeader && single(request, trustedProxy.roleHeader)) ?? trustedProxy.role;
    if (name.length > MAX_NAME || !isRole(role)) {
      throw new ApiError(403, 'FORBIDDEN', `the proxy names no user of at most ${MAX_NAME} characters with a role`);
    }
    return { name, role };
  };

  return {
    signIn,
    visit: async (request, reply) => {
      const bearer = tokens && /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (bearer) return { user: asUser(holderOf(bearer, request)), bearer: true };
      if (resolveUser) return vouched(await resolveUser(request), request, reply);
      if (trustedProxy) return vouched(ofProxy(request), request, reply);
      if (tokens) return signedIn(request);
      refuseStrangers(request);
      return vouched(local, request, reply);
    },
    open: (token, request, reply) => {
      if (signIn !== 'token') throw new ApiError(404, 'NOT_FOUND', 'one does not sign in here');
      const session = openSession(holderOf(token, request), Date.now(), sessionMs);
      const maxAgeS = Math.floor(sessionMs / 1000);
      setCookie({ request, reply }, { name: SESSION_COOKIE, value: session.value, path, maxAgeS });
      return visitIn(session);
    },
    end: (request, reply) => {
      setCookie({ request, reply }, { name: SESSION_COOKIE, value: '', path, maxAgeS: 0 });
    },
  };
}

const visitIn = (session: OpenSession): Visit => ({ user: asUser(session.holder), csrf: csrfOf(session), session });
const asUser = ({ name, role }: User): User => ({ name, role });
const isRole = (role: string): role is User['role'] => (ROLES as readonly string[]).includes(role);

/**
 * Node joins the values of a header that came twice, one of them perhaps from the client: neither is believed.
 * @throws ApiError 401
 */
function single({ raw: { rawHeaders } }: FastifyRequest, name: string): string | undefined {
  const own = name.toLowerCase();
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === own);
  if (values.length > 1) throw new ApiError(401, 'UNAUTHENTICATED', `the header ${own} came more than once`);
  return values[0];
}

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Open to this machine, and to nobody whom a proxy or a page elsewhere lets in: a name that somebody else's DNS points at
 * 127.0.0.1 stands in the Host header.
 * @throws ApiError 403 FORBIDDEN_HOST
 */
function refuseStrangers({ headers, host }: FastifyRequest): void {
  if (isLoopback(hostName(host)) && !FORWARDED.some((name) => headers[name] !== undefined)) return;
  throw new ApiError(
    403,
    'FORBIDDEN_HOST',
    'this dashboard has no sign-in, and is there for this machine alone, as localhost',
  );
}

function tooMany(waitMs: number): ApiError {
  const seconds = Math.ceil(waitMs / 1000);
  return new ApiError(429, 'RATE_LIMITED', `too many tokens that nobody holds; try again in ${seconds} s`, {
    details: { retry_after_s: seconds },
    headers: { 'retry-after': String(seconds) },
  });
}
