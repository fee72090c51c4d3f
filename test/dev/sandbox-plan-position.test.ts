// Which send runs which step of a plan: only sends that reach the plan move it on. (That clearing the ledger does not is in
// sandbox-ledger.test.ts.)

import { expect, it } from 'vitest';
import type { Sandbox } from '../../dev/testing.ts';
import { newKey, planned, post, type Sent, startSandbox } from './sandbox-client.ts';

const BODY = planned('503', '502');

it.each<[string, Sent]>([
  ['to an unknown path', { path: '/v1/nothing', body: BODY }],
  ['with an invalid plan', { body: planned('nonsense') }],
  ['without a plan', {}],
  ['with a wrong API key', { body: BODY, headers: { 'x-api-key': 'wrong' } }],
])('a send %s uses up no step of its key', async (_, sent) => {
  const sandbox = await startSandbox({ faults: { '500': 1 } });
  const key = newKey();
  await post(sandbox, { ...sent, key });
  expect(await statusesOf(sandbox, { key, body: BODY })).toEqual([503, 502, 201]);
});

it('a send with a malformed key uses up no step of the sends without one', async () => {
  const sandbox = await startSandbox();
  expect((await post(sandbox, { key: 'k'.repeat(256), body: BODY })).status).toBe(400);
  expect(await statusesOf(sandbox, { body: BODY })).toEqual([503, 502, 201]);
});

it('a refused send between two others does not skip a step', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  expect((await post(sandbox, { key, body: BODY })).status).toBe(503);
  expect((await post(sandbox, { key, path: '/v1/nothing', body: BODY })).status).toBe(404);
  expect((await post(sandbox, { key, body: BODY })).status).toBe(502);
});

it('a key that is spelled like the hash of a payload has a plan position of its own', async () => {
  const sandbox = await startSandbox();
  await post(sandbox, { body: BODY });
  const key = sandbox.ledger().anonymous.sends[0]?.payloadSha256 ?? '';
  expect(await statusesOf(sandbox, { key, body: BODY })).toEqual([503, 502, 201]);
});

async function statusesOf(sandbox: Sandbox, sent: Sent): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 1; n <= 3; n++) statuses.push((await post(sandbox, sent)).status);
  return statuses;
}
