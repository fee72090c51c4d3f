// Every route of the API in one table: method, path below the base path, who may, what goes in and what comes out. The
// server registers its handlers by it, openapi.json is made from it, and the page calls by it.
import type { Role } from './session.ts';

interface RouteFacts {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** The least role; `anyone` needs no session. */
  role: Role | 'anyone';
}

export const ROUTES = {
  session: { method: 'GET', path: '/api/session', role: 'anyone' },
  signIn: { method: 'POST', path: '/api/session', role: 'anyone' },
  signOut: { method: 'DELETE', path: '/api/session', role: 'anyone' },
  overview: { method: 'GET', path: '/api/overview', role: 'viewer' },
  letters: { method: 'GET', path: '/api/dead-letters', role: 'viewer' },
  countLetters: { method: 'GET', path: '/api/dead-letters/count', role: 'viewer' },
  groups: { method: 'GET', path: '/api/dead-letters/groups', role: 'viewer' },
  histogram: { method: 'GET', path: '/api/dead-letters/histogram', role: 'viewer' },
  exportLetters: { method: 'GET', path: '/api/dead-letters/export', role: 'viewer' },
  bundle: { method: 'GET', path: '/api/dead-letters/bundle', role: 'viewer' },
  letter: { method: 'GET', path: '/api/dead-letters/:destination/:id', role: 'viewer' },
  replay: { method: 'POST', path: '/api/dead-letters/:destination/:id/replay', role: 'operator' },
  discard: { method: 'POST', path: '/api/dead-letters/:destination/:id/discard', role: 'operator' },
  restore: { method: 'POST', path: '/api/dead-letters/:destination/:id/restore', role: 'operator' },
  planOperation: { method: 'POST', path: '/api/operations/plan', role: 'operator' },
  createOperation: { method: 'POST', path: '/api/operations', role: 'operator' },
  operations: { method: 'GET', path: '/api/operations', role: 'viewer' },
  operation: { method: 'GET', path: '/api/operations/:destination/:id', role: 'viewer' },
  operationItems: { method: 'GET', path: '/api/operations/:destination/:id/items', role: 'viewer' },
  pauseOperation: { method: 'POST', path: '/api/operations/:destination/:id/pause', role: 'operator' },
  resumeOperation: { method: 'POST', path: '/api/operations/:destination/:id/resume', role: 'operator' },
  cancelOperation: { method: 'POST', path: '/api/operations/:destination/:id/cancel', role: 'operator' },
  audit: { method: 'GET', path: '/api/audit', role: 'viewer' },
  exportAudit: { method: 'GET', path: '/api/audit/export', role: 'viewer' },
  find: { method: 'GET', path: '/api/find', role: 'viewer' },
  whatIf: { method: 'POST', path: '/api/what-if', role: 'viewer' },
  pauseDestination: { method: 'POST', path: '/api/destinations/:destination/pause', role: 'admin' },
  resumeDestination: { method: 'POST', path: '/api/destinations/:destination/resume', role: 'admin' },
  events: { method: 'GET', path: '/api/events', role: 'viewer' },
} as const satisfies Record<string, RouteFacts>;

export type RouteName = keyof typeof ROUTES;
