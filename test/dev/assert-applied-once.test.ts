// assertAppliedOnce: passes for one effect of one payload, and otherwise says what happened and when.

import { expect, it } from 'vitest';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { newKey, planned, post, startSandbox } from './sandbox-client.ts';

it('passes for a write that was sent often and applied once, by the sandbox, its ledger URL or its origin', async () => {
  const sandbox = await startSandbox();
  const key = 'a key/with + signs';
  const body = planned('503', '500-applied');
  for (let n = 1; n <= 3; n++) await post(sandbox, { key, body });
  await assertAppliedOnce(sandbox, key);
  await assertAppliedOnce(`${sandbox.url}/_sandbox/ledger`, key);
  await assertAppliedOnce(sandbox.url, key);
});

it('fails for a write that was never sent', async () => {
  const sandbox = await startSandbox();
  await expect(assertAppliedOnce(sandbox, 'k')).rejects.toThrow('The write with idempotency key "k" was never sent');
  await expect(assertAppliedOnce(sandbox.url, 'k')).rejects.toThrow('was never sent');
});

it('fails for a write that was not applied, with each send, its time, step and answer', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  await post(sandbox, { key, body: planned('503', '422') });
  await post(sandbox, { key, body: planned('503', '422') });
  await expect(assertAppliedOnce(sandbox, key)).rejects.toThrow(
    /was applied not at all, not once\. Sends: 2\.\n {2}1\. \d{4}-\S+Z, \/v1\S+, step 503, answered 503, not applied, payload [0-9a-f]{12}\n {2}2\. .*step 422/,
  );
});

it('fails for a write that was applied twice', async () => {
  const sandbox = await startSandbox({ keyTtlMs: 1 });
  const key = newKey();
  while ((sandbox.entry(key)?.applications ?? 0) < 2) await post(sandbox, { key });
  await expect(assertAppliedOnce(sandbox.url, key)).rejects.toThrow('was applied 2 times, not once');
});

it('fails for a write that was sent with two payloads, although it was applied once', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  await post(sandbox, { key });
  await post(sandbox, { key, body: { phone_number: '+393330000000' } });
  await expect(assertAppliedOnce(sandbox, key)).rejects.toThrow('was sent with 2 different payloads, not one');
});

it('fails with the URL and the cause where no ledger can be read', async () => {
  const sandbox = await startSandbox();
  await sandbox.close();
  const failure = assertAppliedOnce(sandbox.url, 'k');
  await expect(failure).rejects.toThrow(`could not be read at ${sandbox.url}/_sandbox/ledger?key=k`);
  await expect(failure).rejects.toHaveProperty('cause');
});
