// What the judge expects the API to have said to each step is what the sandbox says: it is asked, twice under one key, so
// that what it keeps is seen too.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEnvelope } from '../../core/envelope.ts';
import { createSandbox, type Sandbox } from '../../dev/testing.ts';
import { proofOf, saidTo, verdictFrom } from './api-answers.ts';
import { send } from './doctored.ts';
import { bodyTextOf } from './judge-sends.ts';
import { writeOf } from './load.ts';
import { PLAN_STEPS, type Plan } from './plans.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox({ apiKey: 'an-api-key' });
});
afterAll(() => sandbox.close());

const ANSWERED = PLAN_STEPS.filter((step) => !/^(hang|reset|truncated|slow)/.test(step));

test.each(ANSWERED)('%s', async (step) => {
  const plan: Plan = { steps: [step, step], ending: 'dead' };
  const heard = [];
  for (let i = 0; i < 2; i += 1) {
    const response = await fetch(sandbox.url + writeOf(plan).path, {
      method: 'POST',
      headers: { 'x-api-key': 'an-api-key', 'idempotency-key': `key of ${step}` },
      body: bodyTextOf({ plan }) ?? '',
      redirect: 'manual',
    });
    const { status, headers } = response;
    const { envelope, requestId } = readEnvelope(
      status,
      await response.text(),
      headers.get('x-request-id') ?? undefined,
    );
    heard.push({
      status,
      ...(status >= 300 && {
        code: envelope.code,
        ...(envelope.message !== undefined && { message: envelope.message }),
      }),
      hasRequestId: requestId !== undefined,
      askedMs: Number(headers.get('retry-after') ?? 0) * 1000,
      stored: headers.get('idempotent-replayed') === 'true',
    });
  }
  expect(saidTo(sandbox.entry(`key of ${step}`)?.sends ?? [])).toEqual(heard);
});

const proofsOf = (...sends: [string, number | null][]) =>
  saidTo(sends.map(([step, status]) => send({ step, status }))).map(proofOf);

test('what nobody has read is kept by the API all the same', () => {
  expect(proofsOf(['hang-applied', null], ['ok', 201])).toEqual(['doubt', 'applied']);
  expect(saidTo([send({ step: 'reset-after', status: null }), send()])[1]).toMatchObject({ status: 201, stored: true });
});

test('a 409 of a write that is still running leaves a doubt, and one that is an answer does not', () => {
  expect(proofsOf(['slow:60', null], ['ok', 409])).toEqual(['doubt', 'doubt']);
  expect(proofsOf(['409', 409], ['ok', 409])).toEqual(['not-applied', 'not-applied']);
});

test('the verdict is what the answers prove, one after the other', () => {
  expect(verdictFrom([])).toBe('not-applied');
  expect(verdictFrom(proofsOf(['500', 500], ['403', 403]))).toBe('in-doubt');
  expect(verdictFrom(proofsOf(['503', 503], ['429', 429]))).toBe('not-applied');
  expect(verdictFrom(proofsOf(['hang', null], ['422', 422]))).toBe('not-applied');
  expect(verdictFrom(proofsOf(['302', 302]))).toBe('in-doubt');
  expect(verdictFrom(proofsOf(['500-applied', 500], ['ok', 201], ['403', 403]))).toBe('applied-once');
});
