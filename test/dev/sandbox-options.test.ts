// What the sandbox can be told: what an option that is left out means, and the refusal of wrong values, all at once.

import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { createSandbox, type SandboxOptions } from '../../dev/testing.ts';
import { post, startSandbox } from './sandbox-client.ts';

it('an option that is undefined is left out, and so is a fault', async () => {
  const { port, host, apiKey, keyTtlMs, seed, faults, latencyMs }: SandboxOptions = {};
  const sandbox = await startSandbox({ port, host, apiKey, keyTtlMs, seed, faults, latencyMs });
  expect(sandbox.url).toBe(`http://127.0.0.1:${sandbox.port}`);
  expect((await post(sandbox, { key: 'k' })).status).toBe(201);
  expect((await post(sandbox, { key: 'k' })).headers.get('idempotent-replayed')).toBe('true');
  expect((await post(await startSandbox({ faults: { '503': undefined } }))).status).toBe(201);
});

it('every wrong option is named at once', async () => {
  const faults = { '503': 0.7, '500': 0.7, ok: 2 };
  const refusal = createSandbox({ port: -1, keyTtlMs: 0, seed: 0.5, latencyMs: Number.NaN, apiKey: '', faults });
  await expect(refusal).rejects.toThrow(
    /port is -1.*apiKey is .*keyTtlMs is 0.*seed is 0\.5.*latencyMs is NaN.*faults\['ok'\] is 2.*the sum of faults/s,
  );
});

it('every option of a wrong type is named at once, in a RangeError', async () => {
  const failure = await failureOf({
    port: '0',
    host: 5,
    apiKey: 5,
    keyTtlMs: '5',
    seed: '1',
    latencyMs: '5',
    faults: [],
  });
  expect(failure).toBeInstanceOf(RangeError);
  expect(failure).toHaveProperty(
    'message',
    expect.stringMatching(
      /port is '0'.*host is 5.*apiKey is .*keyTtlMs is '5'.*seed is '1'.*latencyMs is '5'.*faults is \[\]/s,
    ),
  );
});

it.each(['port', 'host', 'apiKey', 'keyTtlMs', 'seed', 'faults', 'latencyMs'])(
  '%s: null is a wrong value and not one that is left out',
  async (name) => {
    const failure = await failureOf({ [name]: null });
    expect(failure).toBeInstanceOf(RangeError);
    expect(failure).toHaveProperty('message', expect.stringContaining(`${name} is null: `));
  },
);

it.each([null, 5, 'options'])('%j in place of the options is refused', async (given) => {
  const failure = await failureOf(given);
  expect(failure).toBeInstanceOf(RangeError);
  expect(failure).toHaveProperty('message', expect.stringContaining(`options is ${inspect(given)}: an object`));
});

it.each(['0.0.0.0', '::', '192.168.1.1', 'example.com', ''])('the host %j is refused', async (host) => {
  await expect(createSandbox({ host })).rejects.toThrow(/host is .*only loopback is served/);
});

it.each([' key', 'key ', 'key\n', 'ke\ty', 'cl\u00e9', ' '])(
  'the API key %j is refused without being shown: no request could carry it as it is',
  async (apiKey) => {
    const failure = await failureOf({ apiKey });
    expect(failure).toBeInstanceOf(RangeError);
    expect(failure).toHaveProperty('message', expect.stringContaining(`apiKey is a string of ${apiKey.length}: `));
  },
);

it('an API key may hold spaces inside', async () => {
  const sandbox = await startSandbox({ apiKey: 'a ~ b' });
  expect((await post(sandbox, { headers: { 'x-api-key': 'a ~ b' } })).status).toBe(201);
});

it.each([-1, 2 ** 32, 2 ** 32 + 1])('the seed %d is refused: it would be another seed over again', async (seed) => {
  await expect(createSandbox({ seed })).rejects.toThrow(`seed is ${seed}: a whole number from 0 to 4294967295`);
});

it.each([0, 2 ** 32 - 1])('the seed %d is taken', async (seed) => {
  expect((await post(await startSandbox({ seed }))).status).toBe(201);
});

it.each([null, '0.5', Number.NaN, -0.1])('the rate %j of a fault is refused', async (rate) => {
  const failure = await failureOf({ faults: { '503': rate } });
  expect(failure).toBeInstanceOf(RangeError);
  expect(failure).toHaveProperty('message', expect.stringContaining(`faults['503'] is ${inspect(rate)}: `));
});

/** For values that TypeScript refuses: the sandbox is also called from JavaScript. */
async function failureOf(options: unknown): Promise<unknown> {
  const started: unknown = await Reflect.apply(createSandbox, undefined, [options]).catch((error: unknown) => error);
  if (started instanceof Error) return started;
  throw new Error(`The sandbox started with ${inspect(options)}.`);
}

it('several API keys are each checked, and each is another', async () => {
  await expect(createSandbox({ apiKey: [] })).rejects.toThrow(/apiKey is \[\]: 1 or more/);
  await expect(createSandbox({ apiKey: ['a', 'a'] })).rejects.toThrow(/apiKey holds a key twice/);
  await expect(createSandbox({ apiKey: ['a', ' b'] })).rejects.toThrow(/apiKey is a string of 2: /);
});
