// A client for the sandbox's own tests: starts one per test, and sends writes with fetch as an application would.

import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../dev/testing.ts';

export const OPT_IN = '/v1/subscriptions/opt-in';
export const VALID_BODY = { phone_number: '+393331234567' };

export interface Sent {
  readonly path?: string;
  readonly key?: string;
  /** Text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await createSandbox(options);
  onTestFinished(() => sandbox.close());
  return sandbox;
}

export async function post(sandbox: Sandbox, sent: Sent = {}): Promise<Received> {
  const { path = OPT_IN, key, body = VALID_BODY, headers, signal } = sent;
  const response = await fetch(`${sandbox.url}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'sandbox-key',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Resolves once the sandbox has counted a send of this key: what a step does at once, it has then done. */
export async function untilSent(sandbox: Sandbox, key: string): Promise<void> {
  while (sandbox.entry(key) === undefined) await new Promise(setImmediate);
}

/** Sends and goes away without waiting for an answer, as a killed worker does; for the first send of a key. */
export async function sendAndLeave(sandbox: Sandbox, sent: Sent & { readonly key: string }): Promise<void> {
  const leaving = new AbortController();
  const answer = post(sandbox, { ...sent, signal: leaving.signal });
  await untilSent(sandbox, sent.key);
  leaving.abort();
  await answer.then(
    () => Promise.reject(new Error('An answer came before the client had left.')),
    () => undefined,
  );
}

/** The body as JSON, loosely typed: what it holds is what the tests are about. */
export function jsonOf(received: Received): Record<string, unknown> {
  const value: Record<string, unknown> = JSON.parse(received.text);
  return value;
}

export function codeOf(received: Received): unknown {
  return jsonOf(received)['code'];
}

/** A valid body whose n-th send runs step n. */
export function planned(...plan: string[]): Record<string, unknown> {
  return { ...VALID_BODY, sandbox: { plan } };
}

export function newKey(): string {
  return randomUUID();
}
