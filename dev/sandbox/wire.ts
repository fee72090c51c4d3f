// How an answer reaches the client, or fails to: whole, cut off, byte by byte, after a 103, or never. Every delivery
// reports the status it put on the wire, and none writes to a connection that the client has left.

import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Answer, AnswerOf } from './answer.ts';

/** A client without a timeout must not hold a connection for ever. */
const HANG_LIMIT_MS = 600_000;
const DRIP_INTERVAL_MS = 100;
/** By how much a cut-off answer's Content-Length exceeds what was sent. */
const MISSING_BYTES = 64;

export interface Wire {
  /** Its connection is cut by `response.req.socket`: `response.socket` is null until a pipelined request has its turn. */
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Aborted when the sandbox closes; ends every wait. */
  readonly closing: AbortSignal;
  /** Called once, when a status line goes out; never called where the client gets no answer. */
  readonly onStatus: (status: number) => void;
}

/** Settles when nothing more will be written; rejects only with the AbortError of a closing sandbox. */
export type Delivery = (wire: Wire, answer: Answer) => Promise<void>;

export const whole: Delivery = async (wire, answer) => {
  writeHead(wire, answer, Buffer.byteLength(answer.body))?.end(answer.body);
};

export const afterEarlyHints: Delivery = async (wire, answer) => {
  if (!wire.response.destroyed) wire.response.writeEarlyHints({ link: '</v1>; rel=preconnect' });
  await whole(wire, answer);
};

export const truncated: Delivery = async (wire, answer) => {
  const sent = answer.body.slice(0, Math.ceil(answer.body.length / 2));
  const response = writeHead(wire, answer, Buffer.byteLength(sent) + MISSING_BYTES);
  // Only after the flush: destroying at once would lose the status line that this fault is about.
  response?.write(sent, () => response.req.socket.destroy());
};

/** One byte each 100 ms for `durationMs`, then what is left of the body, so that a patient client gets all of it. */
export function dripping(durationMs: number): Delivery {
  return async (wire, answer) => {
    // A body shorter than the drip is long ends in spaces, which JSON ignores.
    const body = Buffer.from(answer.body.padEnd(durationMs / DRIP_INTERVAL_MS + 1));
    const response = writeHead(wire, answer, body.length);
    if (response === undefined) return;
    let sent = 0;
    for (let leftMs = durationMs; leftMs > 0 && !response.destroyed; leftMs -= DRIP_INTERVAL_MS) {
      response.write(body.subarray(sent, ++sent));
      await wait(Math.min(DRIP_INTERVAL_MS, leftMs), undefined, { signal: wire.closing });
    }
    if (!response.destroyed) response.end(body.subarray(sent));
  };
}

/** A TCP reset (RST), which clients see as ECONNRESET; nothing was written. */
export async function reset(wire: Wire): Promise<void> {
  wire.response.req.socket.resetAndDestroy();
}

export async function hang(wire: Wire): Promise<void> {
  const clientLeft = new AbortController();
  wire.response.once('close', () => clientLeft.abort());
  if (wire.response.destroyed) return;
  const until = AbortSignal.any([wire.closing, clientLeft.signal]);
  await wait(HANG_LIMIT_MS, undefined, { signal: until }).catch(() => undefined);
  wire.response.req.socket.destroy();
}

/** Delivers this answer whatever the API stored: what a gateway says in the API's place. */
export function answering(answerOf: AnswerOf, delivery: Delivery = whole): (wire: Wire) => Promise<void> {
  return (wire) => delivery(wire, answerOf(wire.requestId));
}

function writeHead(wire: Wire, answer: Answer, contentLength: number): ServerResponse | undefined {
  if (wire.response.destroyed) return undefined;
  wire.onStatus(answer.status);
  return wire.response.writeHead(answer.status, { ...answer.headers, 'Content-Length': contentLength });
}
