// The headers of every answer: what a browser may do with it. Set by hand, so that a host application with a header
// plugin of its own can still mount the dashboard.
import type { DashboardApp } from './app.ts';

/** `self` for the page's own <base>. No inline script or style, no other host, in nobody's frame. */
const POLICY = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Told anew by whoever may cache it: the assets.
  'cache-control': 'no-store',
};

export const headersOf = (request: { id: string }): Record<string, string> => ({
  ...HEADERS,
  'x-request-id': request.id,
});

export function setHeaders(app: DashboardApp): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersOf(request));
  });
}
