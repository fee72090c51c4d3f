// Who a request comes from, as the guard found it. Kept beside the request, so that a host application's own decorators
// are left alone.
import type { User } from '../app.ts';
import type { OpenSession } from './session-cookie.ts';

export interface Visit {
  user?: User;
  /** What a write must send back as x-csrf-token; missing where none is needed or nobody is signed in. */
  csrf?: string;
  /** A token in the request itself: no browser sends it by itself, so that no other page can make it do so. */
  bearer?: true;
  /** Of who signed in by a token. */
  session?: OpenSession;
}

const visits = new WeakMap<object, Visit>();
const NOBODY: Visit = {};

export const visitOf = (request: object): Visit => visits.get(request) ?? NOBODY;

export function noteVisit(request: object, visit: Visit): void {
  visits.set(request, visit);
}
