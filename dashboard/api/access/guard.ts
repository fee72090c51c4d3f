// The one place where it is decided who may do what: before a route reads its body, and for every route alike.
import { mayActAs } from '../../../core/role.ts';
import type { DashboardApp, RouteConfig } from '../app.ts';
import { ApiError } from '../errors.ts';
import type { Access } from './access.ts';
import { refuseForeignOrigin } from './cross-site.ts';
import { same } from './session-cookie.ts';
import { noteVisit, type Visit } from './visit.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function guard(app: DashboardApp, access: Access): void {
  app.addHook('onRequest', async (request, reply) => {
    const { waybill } = request.routeOptions.config as Partial<RouteConfig>;
    // The page itself, which holds nothing.
    if (!waybill) return;
    const { name, role } = waybill;
    const visit = await access.visit(request, name === 'session' ? reply : undefined);
    noteVisit(request, visit);
    if (role !== 'anyone' && !visit.user) throw new ApiError(401, 'UNAUTHENTICATED', 'sign in first');
    if (!READS.has(request.method) && !visit.bearer) {
      refuseForeignOrigin(request);
      if (name !== 'signIn' && visit.user) refuseWithoutCsrf(request.headers['x-csrf-token'], visit);
    }
    if (role !== 'anyone' && visit.user && !mayActAs(visit.user.role, role)) {
      const words = `this takes the role ${role}; ${visit.user.name} has ${visit.user.role}`;
      throw new ApiError(403, 'FORBIDDEN', words, { details: { needs: role, role: visit.user.role } });
    }
  });
}

function refuseWithoutCsrf(given: string | string[] | undefined, { csrf }: Visit): void {
  if (csrf !== undefined && typeof given === 'string' && same(given, csrf)) return;
  throw new ApiError(
    403,
    'CSRF_REFUSED',
    'the x-csrf-token of this session is missing or another; load the page again',
  );
}
