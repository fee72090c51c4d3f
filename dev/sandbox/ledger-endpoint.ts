// The ledger over HTTP, for programs that are not in the sandbox's process: GET /_sandbox/ledger, ?key=K for one entry,
// and DELETE to start a new page. Without authentication: it is on loopback and holds no bodies.

import type { IncomingMessage } from 'node:http';
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { LedgerBook } from './ledger.ts';
import { type Wire, whole } from './wire.ts';

export const LEDGER_PATH = '/_sandbox/ledger';

/** Clearing empties the ledger alone: the API still knows its idempotency keys, as a real one would, and plans go on. */
export async function answerLedger(ledger: LedgerBook, request: IncomingMessage, wire: Wire): Promise<void> {
  if (request.method === 'DELETE') {
    ledger.clear();
    wire.response.writeHead(204).end();
    return;
  }
  if (request.method !== 'GET') {
    const headers = { Allow: 'GET, DELETE' };
    const message = 'The ledger is read with GET and cleared with DELETE.';
    return whole(wire, errorAnswer({ status: 405, code: 'METHOD_NOT_ALLOWED', message, headers }, wire.requestId));
  }
  const key = new URL(request.url ?? '/', 'http://sandbox').searchParams.get('key');
  if (key === null) return whole(wire, jsonAnswer(200, wire.requestId, ledger.snapshot()));
  const entry = ledger.entry(key);
  if (entry !== undefined) return whole(wire, jsonAnswer(200, wire.requestId, entry));
  const message = 'No send of this idempotency key has been seen.';
  return whole(wire, errorAnswer({ status: 404, code: 'NOT_FOUND', message }, wire.requestId));
}
