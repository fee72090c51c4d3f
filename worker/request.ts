// From a write to the HTTP request that is sent: the path inside the base URL, the destination's credential, the key.
// All of it is checked before undici sees it: an invalid header or path wedges a Pool for good.
import type { DestinationConfig } from '../core/config.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Write } from '../core/write.ts';

export interface HttpRequest {
  method: Write['method'];
  path: string;
  headers: Record<string, string>;
  body: string | null;
}

/** A destination as a worker uses it: with the credential's value, which never leaves this room. */
export interface Target {
  name: string;
  config: DestinationConfig;
  /** The value of config.auth's header, prefix included. */
  credential?: string;
}

const USER_AGENT = 'waybill';

/** @returns the request, or the `blocked` Outcome of a write that this destination cannot send */
export function toRequest(write: Write, { config, credential }: Target): HttpRequest | (Outcome & { kind: 'blocked' }) {
  const { auth, idempotency } = config;
  for (const own of [auth?.header, idempotency.header]) {
    if (own !== undefined && write.headers && Object.hasOwn(write.headers, own.toLowerCase())) {
      return blocked(`headers.${own.toLowerCase()}`, "is set by the destination's configuration");
    }
  }
  const base = new URL(config.baseUrl);
  const path = base.pathname.replace(/\/$/, '') + write.path;
  // The write's path was checked when it was enqueued; what a URL parser makes of both must still be inside the base.
  const resolved = URL.parse(path, base.origin);
  if (!resolved || resolved.origin !== base.origin || resolved.pathname !== path.split('?', 1)[0]) {
    return blocked('path', 'does not stay as it is behind the base URL; percent-encode it');
  }
  return {
    method: write.method,
    path,
    headers: {
      'user-agent': USER_AGENT,
      accept: 'application/json',
      ...(write.body !== undefined && { 'content-type': 'application/json' }),
      ...write.headers,
      [idempotency.header]: write.idempotencyKey,
      ...(auth && credential !== undefined && { [auth.header]: credential }),
    },
    body: write.body ?? null,
  };
}

function blocked(field: string, why: string): Outcome & { kind: 'blocked' } {
  return { kind: 'blocked', code: 'INVALID_WRITE', message: `${field}: ${why}` };
}
