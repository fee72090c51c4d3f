// Idempotency keys as the contract has them: replay, conflict, in progress, expiry, and which answers a key keeps.

import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Sandbox } from '../../dev/testing.ts';
import {
  codeOf,
  newKey,
  OPT_IN,
  planned,
  post,
  sendAndLeave,
  startSandbox,
  untilSent,
  VALID_BODY,
} from './sandbox-client.ts';

/** For how long a key is in progress where a second send must find it so: a busy machine needs hundreds of ms for one. */
const WINDOW_MS = 1000;
const SLOW = `slow:${WINDOW_MS}`;

it('the same key and payload replays the first answer with its status, body and request_id', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const first = await post(sandbox, { key });
  const second = await post(sandbox, { key });
  expect(second.status).toBe(201);
  expect(second.text).toBe(first.text);
  expect(second.headers.get('x-request-id')).toBe(first.headers.get('x-request-id'));
  expect([first, second].map((answer) => answer.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
  expect(sandbox.entry(key)?.applications).toBe(1);
});

it('the same key with another body, path or query is a conflict, and the first answer stays', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const first = await post(sandbox, { key });
  for (const other of [
    { body: { phone_number: '+393330000000' } },
    { path: '/v1/profiles' },
    { path: `${OPT_IN}?a=1` },
  ]) {
    const refused = await post(sandbox, { key, ...other });
    expect([refused.status, codeOf(refused)]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  }
  expect((await post(sandbox, { key })).text).toBe(first.text);
  expect(sandbox.entry(key)).toMatchObject({ applications: 1, payloadHashes: { length: 4 } });
});

it('payloads are compared by their bytes, so the last digit of a big number is a difference', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = '{"store_id":"s1","amount":12345678901234567890,"currency":"EUR"}';
  expect((await post(sandbox, { key, path: '/v1/sales-events', body })).status).toBe(201);
  const other = await post(sandbox, { key, path: '/v1/sales-events', body: body.replace('90,', '91,') });
  expect(codeOf(other)).toBe('IDEMPOTENCY_CONFLICT');
});

it('of two sends at once one runs and the other is told that it is in progress', async () => {
  const sandbox = await startSandbox({ latencyMs: WINDOW_MS });
  const key = newKey();
  const both = await Promise.all([post(sandbox, { key }), post(sandbox, { key })]);
  const answers = both.toSorted((a, b) => a.status - b.status);
  expect(answers.map((answer) => answer.status)).toEqual([201, 409]);
  expect(answers.slice(1).map(codeOf)).toEqual(['IDEMPOTENCY_IN_PROGRESS']);
  expect(sandbox.entry(key)?.applications).toBe(1);
});

it('of fifty sends at once exactly one applies', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  await Promise.all(Array.from({ length: 50 }, () => post(sandbox, { key })));
  expect(sandbox.entry(key)).toMatchObject({ applications: 1, sends: { length: 50 } });
});

it('a slow write is applied at its start, in progress until its end, and replayed after it', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = planned(SLOW);
  const first = post(sandbox, { key, body });
  await untilSent(sandbox, key);
  expect(codeOf(await post(sandbox, { key, body }))).toBe('IDEMPOTENCY_IN_PROGRESS');
  expect(codeOf(await post(sandbox, { key, body: VALID_BODY }))).toBe('IDEMPOTENCY_CONFLICT');
  expect((await first).status).toBe(201);
  expect((await post(sandbox, { key, body })).text).toBe((await first).text);
});

it('a slow write ends and is stored although its client has left', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = planned(SLOW);
  await sendAndLeave(sandbox, { key, body });
  let resent = await post(sandbox, { key, body });
  while (resent.status === 409) {
    await wait(50);
    resent = await post(sandbox, { key, body });
  }
  expect([resent.status, resent.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
  expect(sandbox.entry(key)?.sends[0]).toMatchObject({ status: null, applied: true });
});

it('a key runs as new once its life from the first send is over, even with another payload', async () => {
  const pass = stopClock();
  const sandbox = await startSandbox({ keyTtlMs: 60_000 });
  const key = newKey();
  await post(sandbox, { key });
  pass(59_999);
  expect((await post(sandbox, { key })).headers.get('idempotent-replayed')).toBe('true');
  pass(1);
  const anew = await post(sandbox, { key, body: { phone_number: '+393330000000' } });
  expect([anew.status, anew.headers.get('idempotent-replayed')]).toEqual([201, null]);
  expect(sandbox.entry(key)?.applications).toBe(2);
});

it('a write that runs longer than its key lives keeps the key until it ends', async () => {
  const pass = stopClock();
  const sandbox = await startSandbox({ keyTtlMs: 60_000 });
  const key = newKey();
  const body = planned(SLOW);
  const first = post(sandbox, { key, body });
  await untilSent(sandbox, key);
  pass(60_000);
  expect(codeOf(await post(sandbox, { key, body }))).toBe('IDEMPOTENCY_IN_PROGRESS');
  expect((await first).status).toBe(201);
});

it('a write without a key runs every time, and steps through its plan by its payload', async () => {
  const sandbox = await startSandbox();
  expect([(await post(sandbox)).status, (await post(sandbox)).status]).toEqual([201, 201]);
  const body = planned('503', 'ok');
  expect([(await post(sandbox, { body })).status, (await post(sandbox, { body })).status]).toEqual([503, 201]);
  expect(sandbox.ledger()).toMatchObject({ keys: {}, anonymous: { applications: 3, sends: { length: 4 } } });
});

it('a key of 1 to 255 printable ASCII characters is taken, spaces and colons included', async () => {
  const sandbox = await startSandbox();
  for (const key of ['a', 'wait: 42 ~!"', '__proto__', 'k'.repeat(255)]) {
    expect((await post(sandbox, { key })).status).toBe(201);
    expect(sandbox.ledger().keys[key]?.applications).toBe(1);
  }
});

it.each([
  ['empty', ['']],
  ['256 characters long', ['k'.repeat(256)]],
  ['not ASCII', ['cl\u00e9']],
  ['holding a tab', ['a\tb']],
  ['given twice', ['a', 'b']],
])('a key that is %s is IDEMPOTENCY_KEY_INVALID, and nothing is applied', async (_, keys) => {
  const sandbox = await startSandbox();
  expect(await postWithKeyHeaders(sandbox, keys)).toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_INVALID' });
  expect(sandbox.ledger().anonymous).toMatchObject({ applications: 0, sends: [{ status: 400, step: null }] });
});

it.each(['{', { phone_number: 'x' }])('the rejection of %j is stored against its key and replayed', async (body) => {
  const sandbox = await startSandbox();
  const key = newKey();
  const first = await post(sandbox, { key, body });
  const second = await post(sandbox, { key, body });
  expect([second.status, second.text]).toEqual([400, first.text]);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(codeOf(await post(sandbox, { key }))).toBe('IDEMPOTENCY_CONFLICT');
});

it('a resend after a lost rejection gets the rejection, and nothing was applied', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = { phone_number: 'x', sandbox: { plan: ['reset-after'] } };
  await expect(post(sandbox, { key, body })).rejects.toThrow();
  const resent = await post(sandbox, { key, body });
  expect([resent.status, resent.headers.get('idempotent-replayed')]).toEqual([400, 'true']);
  expect(sandbox.entry(key)?.applications).toBe(0);
});

/** Stops Date alone for this test, so that a key's life has no race with the machine; gives what moves it on by ms. */
function stopClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => void vi.setSystemTime(Date.now() + ms);
}

/** With node:http, since fetch joins and refuses headers of its own accord. */
async function postWithKeyHeaders(
  sandbox: Sandbox,
  keys: string[],
): Promise<{ status: number | undefined; code: unknown }> {
  const headers = { 'x-api-key': 'sandbox-key', 'idempotency-key': keys };
  const request = httpRequest(`${sandbox.url}${OPT_IN}`, { method: 'POST', headers }).end(JSON.stringify(VALID_BODY));
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, code: JSON.parse(text).code };
}
