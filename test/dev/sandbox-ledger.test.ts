// The ledger: what it records of each send, how it is read over HTTP, and that it is a record and not a prediction.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { newKey, OPT_IN, planned, post, startSandbox, VALID_BODY } from './sandbox-client.ts';

it('each send is recorded with its time, payload, path, step, status and effect', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = JSON.stringify(planned('503', 'ok'));
  const before = Date.now();
  await post(sandbox, { key, body });
  await post(sandbox, { key, body });
  await post(sandbox, { key, body });
  const payloadSha256 = createHash('sha256').update(`POST ${OPT_IN}\n${body}`).digest('hex');
  const send = { at: expect.any(Number), payloadSha256, path: OPT_IN };
  const entry = sandbox.entry(key);
  expect(entry).toEqual({
    key,
    sends: [
      { ...send, step: '503', status: 503, applied: false },
      { ...send, step: 'ok', status: 201, applied: true },
      { ...send, step: 'ok', status: 201, applied: false },
    ],
    applications: 1,
    payloadHashes: [payloadSha256],
    firstAt: entry?.sends[0]?.at,
    lastAt: entry?.sends[2]?.at,
  });
  expect(entry?.firstAt).toBeGreaterThanOrEqual(before);
  expect(entry?.lastAt).toBeLessThanOrEqual(Date.now());
});

it('GET answers the whole ledger, and one entry by its URL-encoded key, without an API key', async () => {
  const sandbox = await startSandbox();
  const keys = ['a+b & c=d/e', '__proto__', '50%'];
  for (const key of keys) await post(sandbox, { key });
  await post(sandbox);
  const whole = await fetch(`${sandbox.url}/_sandbox/ledger`);
  expect(JSON.parse(await whole.text())).toEqual(sandbox.ledger());
  for (const key of keys) {
    const one = await fetch(`${sandbox.url}/_sandbox/ledger?key=${encodeURIComponent(key)}`);
    expect(await one.json()).toEqual(sandbox.entry(key));
  }
});

it('GET of a key that was never sent is 404', async () => {
  const sandbox = await startSandbox();
  expect((await fetch(`${sandbox.url}/_sandbox/ledger?key=none`)).status).toBe(404);
});

it('DELETE empties the ledger while the API still knows its keys', async () => {
  const sandbox = await startSandbox();
  await post(sandbox, { key: 'k' });
  await post(sandbox);
  expect((await fetch(`${sandbox.url}/_sandbox/ledger`, { method: 'DELETE' })).status).toBe(204);
  expect(sandbox.ledger()).toEqual({ keys: {}, anonymous: { sends: [], applications: 0 } });
  expect((await post(sandbox, { key: 'k' })).headers.get('idempotent-replayed')).toBe('true');
  expect(sandbox.entry('k')?.applications).toBe(0);
});

it('DELETE leaves every plan where it was, with a key and without', async () => {
  const sandbox = await startSandbox();
  const body = planned('503', '502', '504');
  for (const sent of [{ key: 'k', body }, { body }]) {
    const statuses = [];
    for (let n = 1; n <= 4; n++) {
      statuses.push((await post(sandbox, sent)).status);
      await fetch(`${sandbox.url}/_sandbox/ledger`, { method: 'DELETE' });
    }
    expect(statuses).toEqual([503, 502, 504, 201]);
  }
});

it('another method on the ledger is 405', async () => {
  const sandbox = await startSandbox();
  const refused = await fetch(`${sandbox.url}/_sandbox/ledger`, { method: 'POST' });
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, DELETE']);
});

it('what ledger() and entry() give does not change with later sends', async () => {
  const sandbox = await startSandbox();
  await post(sandbox, { key: 'k' });
  const [ledger, entry] = [sandbox.ledger(), sandbox.entry('k')];
  await post(sandbox, { key: 'k' });
  expect([ledger.keys['k']?.sends.length, entry?.sends.length]).toEqual([1, 1]);
});

it('a send whose body never came to its end is no send', async () => {
  const sandbox = await startSandbox();
  const cut = new AbortController();
  const body = new ReadableStream({
    start(stream) {
      stream.enqueue(Buffer.from(JSON.stringify(VALID_BODY).slice(0, 5)));
      setTimeout(() => cut.abort(), 20);
    },
  });
  const headers = { 'x-api-key': 'sandbox-key', 'idempotency-key': 'k' };
  const init = { method: 'POST', headers, body, duplex: 'half', signal: cut.signal } as const;
  await expect(fetch(`${sandbox.url}${OPT_IN}`, init)).rejects.toThrow(/abort/);
  expect(sandbox.entry('k')).toBeUndefined();
});

it('a write to an unknown path is a send that applied nothing', async () => {
  const sandbox = await startSandbox();
  await post(sandbox, { key: 'k', path: '/v1/nothing' });
  expect(sandbox.entry('k')).toMatchObject({ applications: 0, sends: [{ path: '/v1/nothing', status: 404 }] });
});

it('where the API has several keys, each send says which one it bore', async () => {
  const sandbox = await startSandbox({ apiKey: ['one', 'two'] });
  await post(sandbox, { key: 'k', headers: { 'x-api-key': 'two' } });
  await post(sandbox, { key: 'k', headers: { 'x-api-key': 'one' } });
  expect(sandbox.entry('k')?.sends.map(({ client }) => client)).toEqual([1, 0]);
  expect((await post(sandbox, { headers: { 'x-api-key': 'three' } })).status).toBe(401);
});
