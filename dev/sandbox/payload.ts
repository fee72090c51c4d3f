// Reads a request's body up to a cap and keeps its raw bytes for the hash: two bodies are the same when their bytes are,
// whatever JSON.parse would make of the digits of a big number.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const MAX_BODY_BYTES = 1_048_576;

export type ReadPayload =
  | { readonly kind: 'read'; readonly payload: Payload }
  | { readonly kind: 'too-large' }
  /** The client left before the end of its body: that was no send. */
  | { readonly kind: 'gone' };

interface Payload {
  /** Hex SHA-256 of `METHOD target\n` and the raw body. */
  readonly sha256: string;
  /** The parsed JSON, or undefined where the body is not JSON in UTF-8. */
  readonly parsed: unknown;
}

/** Its time is limited by the server's requestTimeout. */
export async function readPayload(request: IncomingMessage): Promise<ReadPayload> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Read to the end even above the cap (without keeping it): closing early would reset the connection under a client
    // that is still sending, and it would never see the 413.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    }
  } catch {
    return { kind: 'gone' };
  }
  if (bytes > MAX_BODY_BYTES) return { kind: 'too-large' };
  const body = Buffer.concat(chunks);
  const sha256 = createHash('sha256').update(`${request.method} ${request.url}\n`).update(body).digest('hex');
  return { kind: 'read', payload: { sha256, parsed: parseJson(body) } };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return undefined;
  }
}
