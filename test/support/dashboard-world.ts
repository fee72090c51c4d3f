// A dashboard of a test's own: a real server on a free port over the real Redis, and somebody at it, as a browser or a
// script would be.
import { onTestFinished } from 'vitest';
import type { ConfigInput } from '../../core/config.ts';
import { type RunningDashboard, type StartOptions, startDashboard } from '../../dashboard/index.ts';
import type { ErrorEnvelope, Session } from '../../dashboard/api/contract/session.ts';
import { redisUrl } from './redis.ts';

/** Of the three people of the tests; the names are theirs in the audit. */
export const TOKENS = {
  viewer: 'viewer-token-of-vera',
  operator: 'operator-token-of-otto',
  admin: 'admin-token-of-ada-0',
} as const;
export const TOKENS_ENV = {
  WAYBILL_DASHBOARD_TOKENS: `vera:viewer:${TOKENS.viewer},otto:operator:${TOKENS.operator},ada:admin:${TOKENS.admin}`,
};

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Of an answer in JSON. */
  body: unknown;
}

export interface DashboardWorld extends RunningDashboard {
  /** Every line it logged. */
  readonly log: Record<string, unknown>[];
  /** Its url without the base path and the last slash. */
  readonly origin: string;
  /** As anybody; `path` is below the base path. */
  ask(path: string, init?: RequestInit): Promise<Answer>;
  /** As a script that holds the token of this role. */
  as(role: keyof typeof TOKENS): Caller;
  /** As a browser in which this person has signed in. */
  enter(role: keyof typeof TOKENS): Promise<Browser>;
}

export interface Caller {
  get: (path: string) => Promise<Answer>;
  post: (path: string, body?: unknown) => Promise<Answer>;
}

export interface Browser extends Caller {
  session: Session;
  /** `waybill_session=…`. */
  cookie: string;
  headers: Record<string, string>;
}

/**
 * It is gone when the test ends.
 * @param config its destinations, and its `dashboard` section; the port is a free one
 * @param options without `env` the tests' three people may sign in; give `{}` for a dashboard that is open
 */
export async function createDashboardWorld(config?: ConfigInput, options?: StartOptions): Promise<DashboardWorld> {
  const world = await openDashboardWorld(config, options);
  onTestFinished(() => world.stop());
  return world;
}

/** The same for a whole file: whoever opens it stops it. */
export async function openDashboardWorld(
  config: ConfigInput = {},
  options: StartOptions = {},
): Promise<DashboardWorld> {
  const log: Record<string, unknown>[] = [];
  const running = await startDashboard(
    { redis: { url: redisUrl() }, ...config, dashboard: { port: 0, ...config.dashboard } },
    {
      env: TOKENS_ENV,
      logTo: { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
      ...options,
    },
  );
  const { origin } = new URL(running.url);
  const ask = (path: string, init?: RequestInit): Promise<Answer> =>
    request(running.url.replace(/\/$/, '') + path, init);
  const caller = (headers: Record<string, string>): Caller => ({
    get: (path) => ask(path, { headers }),
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  });
  return {
    ...running,
    log,
    origin,
    ask,
    as: (role) => caller({ authorization: `Bearer ${TOKENS[role]}` }),
    enter: async (role) => {
      const opened = await caller({ origin }).post('/api/session', { token: TOKENS[role] });
      if (opened.status !== 200) throw new Error(`sign-in was answered with ${opened.status}: ${opened.text}`);
      const [cookie = ''] = (opened.headers.getSetCookie()[0] ?? '').split(';');
      const session = opened.body as Session;
      const headers = { cookie, origin, 'x-csrf-token': session.csrf ?? '' };
      return { ...caller(headers), session, cookie, headers };
    },
  };
}

/** Node's fetch keeps nothing between two calls, as a browser would. */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(20_000), ...init });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: isJson ? (JSON.parse(text) as unknown) : undefined,
  };
}

export const errorOf = (answer: Answer): ErrorEnvelope => answer.body as ErrorEnvelope;
