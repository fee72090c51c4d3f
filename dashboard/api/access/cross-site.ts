// Whether a write comes from the dashboard's own page. A browser says where a request comes from, and no page can make
// it say otherwise; a program that says nothing is known by its token.
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';

/** @throws ApiError 403 FOREIGN_ORIGIN */
export function refuseForeignOrigin({ headers, host }: FastifyRequest): void {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  // `none` is a person's own doing: an address typed.
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  if (sameSite && (origin === undefined || hostOf(origin) === host)) return;
  throw new ApiError(
    403,
    'FOREIGN_ORIGIN',
    'this write was asked for by a page of another origin. Behind a proxy: it must pass the Host header on',
  );
}

/** Its scheme is not compared: a proxy may have ended TLS. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
