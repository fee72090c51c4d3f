// Random faults: the rates hold, a seed reproduces them, and a plan in the body wins.

import { expect, it } from 'vitest';
import type { SandboxOptions } from '../../dev/testing.ts';
import { newKey, planned, post, startSandbox } from './sandbox-client.ts';

const FAULTS = { '503': 0.2, 'reset-after': 0.2, '429:retry-after=2': 0.1 };

it('the same seed and rates give the same faults, another seed gives others', async () => {
  const once = await drawSteps({ faults: FAULTS, seed: 7 }, 60);
  const reordered = Object.fromEntries(Object.entries(FAULTS).toReversed());
  expect(await drawSteps({ faults: reordered, seed: 7 }, 60)).toEqual(once);
  expect(await drawSteps({ faults: FAULTS, seed: 8 }, 60)).not.toEqual(once);
});

it('over many sends each fault comes about as often as its rate says', async () => {
  const steps = await drawSteps({ faults: FAULTS, seed: 1 }, 600);
  const share = (name: string) => steps.filter((step) => step === name).length / steps.length;
  expect(share('503')).toBeCloseTo(0.2, 1);
  expect(share('reset-after')).toBeCloseTo(0.2, 1);
  expect(share('429:retry-after=2')).toBeCloseTo(0.1, 1);
  expect(share('ok')).toBeCloseTo(0.5, 1);
});

it('a rate of 1 hits every send, and a rate of 0 none', async () => {
  expect(new Set(await drawSteps({ faults: { '503': 0, '502': 1 } }, 20))).toEqual(new Set(['502']));
});

it('a plan wins over random faults, also after its end', async () => {
  const sandbox = await startSandbox({ faults: { '503': 1 } });
  const key = newKey();
  const statuses = [];
  for (let n = 1; n <= 3; n++) statuses.push((await post(sandbox, { key, body: planned('500') })).status);
  expect(statuses).toEqual([500, 201, 201]);
});

it('under random faults and resends a write is applied once at most', async () => {
  const faults = { '500-applied': 0.2, 'reset-after': 0.2, 'reset-before': 0.2, truncated: 0.2 };
  const sandbox = await startSandbox({ faults, seed: 3 });
  const keys = Array.from({ length: 30 }, newKey);
  for (const key of keys) {
    let status: number | undefined;
    while (status !== 201)
      status = await post(sandbox, { key }).then(
        (answer) => answer.status,
        () => undefined,
      );
  }
  expect(keys.map((key) => sandbox.entry(key)?.applications)).toEqual(keys.map(() => 1));
});

it('a fault that is no step is refused when the sandbox starts', async () => {
  const faults: Record<string, number> = { nonsense: 0.1 };
  await expect(startSandbox({ faults })).rejects.toThrow(/a name in faults is 'nonsense': one of .*reset-before, /);
});

async function drawSteps(options: SandboxOptions, count: number): Promise<unknown[]> {
  const sandbox = await startSandbox(options);
  const steps: unknown[] = [];
  for (let n = 0; n < count; n++) {
    const key = `k${n}`;
    await post(sandbox, { key }).catch(() => undefined);
    steps.push(sandbox.entry(key)?.sends[0]?.step);
  }
  return steps;
}
