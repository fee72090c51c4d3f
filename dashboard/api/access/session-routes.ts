// Who is here, signing in, signing out.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { route } from '../app.ts';
import { session, type Session, signInRequest } from '../contract/session.ts';
import type { Access } from './access.ts';
import { type Visit, visitOf } from './visit.ts';

/** A token is at most 500 characters. */
const SIGN_IN_LIMIT_BYTES = 4096;
/** The page shows nothing before it has its session: a Redis that hangs must not keep it from saying so. */
const DESTINATIONS_WITHIN_MS = 1000;

export function sessionRoutes(app: DashboardApp, context: DashboardContext, access: Access): void {
  const { config, version } = context;
  const { environment } = config.dashboard;

  const shown = async ({ user, csrf }: Visit): Promise<Session> => ({
    ...(user && { user }),
    signIn: access.signIn,
    ...(csrf !== undefined && { csrf }),
    // Of somebody who is not known nothing is told.
    ...(user && environment !== undefined && { environment }),
    version: user ? version : '',
    destinations: user ? await destinations(context) : [],
    now: Date.now(),
  });

  route(app, 'session', { answer: session, summary: 'who is here, and what the page needs to start' }, ({ request }) =>
    shown(visitOf(request)),
  );
  route(
    app,
    'signIn',
    {
      body: signInRequest,
      answer: session,
      summary: 'opens a session for who holds the token',
      bodyLimitBytes: SIGN_IN_LIMIT_BYTES,
    },
    ({ body, request, reply }) => shown(access.open(body.token, request, reply)),
  );
  route(app, 'signOut', { answer: session, summary: 'ends the session in this browser' }, ({ request, reply }) => {
    access.end(request, reply);
    return shown({});
  });
}

/** Those that Redis knows, and those that are configured and not used yet. */
async function destinations({ config, reader }: DashboardContext): Promise<Session['destinations']> {
  const configured = Object.keys(config.destinations);
  // Without Redis the page still starts, and says so itself.
  const asked = reader()
    .then((one) => one.destinations())
    .catch(() => []);
  const used = await Promise.race([asked, sleep(DESTINATIONS_WITHIN_MS, [], { ref: false })]);
  return [...new Set([...configured, ...used])]
    .toSorted()
    .map((name) => ({ name, configured: configured.includes(name) }));
}
