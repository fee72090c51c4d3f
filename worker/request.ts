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

/** Of this a URL parser changes nothing. */
const PLAIN = /^(?:\/[\w-]+)+$/;

type Blocked = Outcome & { kind: 'blocked' };

/** @returns what makes the request of a write, or the `blocked` Outcome of one that this destination cannot send */
export function requestsTo({ config, credential }: Target): (write: Write) => HttpRequest | Blocked {
  const { auth, idempotency } = config;
  const ours = [auth?.header, idempotency.header].flatMap((name) => name?.toLowerCase() ?? []);
  const { origin, pathname } = new URL(config.baseUrl);
  const base = pathname.replace(/\/$/, '');
  return (write) => {
    const { method, headers, body, idempotencyKey } = write;
    const theirs = headers && ours.find((name) => Object.hasOwn(headers, name));
    if (theirs !== undefined) return blocked(`headers.${theirs}`, "is set by the destination's configuration");
    const path = base + write.path;
    if (!PLAIN.test(path) && !staysAsItIs(path, origin)) {
      return blocked('path', 'does not stay as it is behind the base URL; percent-encode it');
    }
    return {
      method,
      path,
      headers: {
        'user-agent': USER_AGENT,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
        [idempotency.header]: idempotencyKey,
        ...(auth && credential !== undefined && { [auth.header]: credential }),
      },
      body: body ?? null,
    };
  };
}

/** The write's path was checked when it was enqueued; what a URL parser makes of both must still be inside the base. */
function staysAsItIs(path: string, origin: string): boolean {
  const resolved = URL.parse(path, origin);
  return resolved?.origin === origin && resolved.pathname === path.split('?', 1)[0];
}

function blocked(field: string, why: string): Blocked {
  return { kind: 'blocked', code: 'INVALID_WRITE', message: `${field}: ${why}` };
}
