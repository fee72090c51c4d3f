// The plan steps: what the client sees of each, whether it applied, and what the next send of the key then gets.

import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../dev/testing.ts';
import {
  codeOf,
  jsonOf,
  newKey,
  OPT_IN,
  planned,
  post,
  sendAndLeave,
  type Sent,
  startSandbox,
} from './sandbox-client.ts';

const RUNS = { status: 201, replayed: null };
const REPLAYS = { status: 201, replayed: 'true' };

it.each([
  '302',
  '401',
  '402',
  '403',
  '410',
  '429',
  '500',
  '502',
  '503',
  '504',
  '599',
  'html-502',
  'empty-500',
  'in-progress',
  'echo-403',
  'big-500:1',
  'drip-500:1',
])('%s answers before the key is looked up: nothing is applied or stored, and the next send runs', async (step) => {
  const status = step === 'in-progress' ? 409 : Number(/\d{3}/.exec(step)?.[0]);
  expect(await sendTwice(step)).toEqual({ first: status, appliedByFirst: false, ...RUNS });
});

it.each(['400', '404', '409', '422', 'not-json-400', 'problem-422', 'requestId-400', '500-stored'])(
  '%s is stored against the key: nothing is applied, and every later send replays it',
  async (step) => {
    const status = Number(/\d{3}/.exec(step)?.[0]);
    expect(await sendTwice(step)).toEqual({ first: status, appliedByFirst: false, status, replayed: 'true' });
  },
);

it.each(['500', '502', '503', '504', '599'])(
  '%s-applied applies first, and the next send replays the success',
  async (status) => {
    expect(await sendTwice(`${status}-applied`)).toEqual({ first: Number(status), appliedByFirst: true, ...REPLAYS });
  },
);

it.each(['ok', 'early-hints', 'slow:10'])('%s applies and answers 201', async (step) => {
  expect(await sendTwice(step)).toEqual({ first: 201, appliedByFirst: true, ...REPLAYS });
});

it.each([
  ['reset-before', false, RUNS],
  ['hang', false, RUNS],
  ['truncated-500', false, RUNS],
  ['reset-after', true, REPLAYS],
  ['hang-applied', true, REPLAYS],
  ['truncated', true, REPLAYS],
])('%s gives no whole answer (applied: %s)', async (step, appliedByFirst, next) => {
  expect(await sendTwice(step)).toEqual({ first: 'no answer', appliedByFirst, ...next });
});

it('the ledger has a status where a status line went out, and null where none did', async () => {
  const sandbox = await startSandbox();
  const steps = ['reset-before', 'hang', 'truncated-500', 'reset-after', 'hang-applied', 'truncated'];
  for (const step of steps) await sendFirst(sandbox, step, { key: step, body: planned(step) });
  const statuses = steps.map((step) => sandbox.entry(step)?.sends[0]?.status);
  expect(statuses).toEqual([null, null, 500, null, null, 201]);
});

it('a gateway step fires although the key has a stored answer, and a later send replays that', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = planned('reset-after', '503', '429', 'ok');
  await expect(post(sandbox, { key, body })).rejects.toThrow();
  expect((await post(sandbox, { key, body })).status).toBe(503);
  expect((await post(sandbox, { key, body })).status).toBe(429);
  expect((await post(sandbox, { key, body })).headers.get('idempotent-replayed')).toBe('true');
  expect(sandbox.entry(key)).toMatchObject({ applications: 1, sends: { length: 4 } });
});

it('a stored answer is replayed whatever an API step of the plan would do', async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  const body = planned('500-applied', '422', 'reset-after');
  const statuses = [];
  for (let n = 1; n <= 4; n++) statuses.push((await post(sandbox, { key, body })).status);
  expect(statuses).toEqual([500, 201, 201, 201]);
});

it("the ledger names each send's step, and after the end of the plan it is ok", async () => {
  const sandbox = await startSandbox();
  const key = newKey();
  for (let n = 1; n <= 3; n++) await post(sandbox, { key, body: planned('503', '502') });
  expect(sandbox.entry(key)?.sends.map((send) => send.step)).toEqual(['503', '502', 'ok']);
});

it('a body that the API refuses is refused under every step that applies', async () => {
  const sandbox = await startSandbox();
  const answer = await post(sandbox, { key: newKey(), body: { sandbox: { plan: ['slow:1'] } } });
  expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_ERROR']);
});

describe('the shape of an answer', () => {
  it('429 has no Retry-After of its own', async () => {
    expect((await answerTo('429')).headers.get('retry-after')).toBeNull();
  });

  it.each(['2', '1.5', '0'])('429:retry-after=%s sends the seconds as they are spelled', async (seconds) => {
    const answer = await answerTo(`429:retry-after=${seconds}`);
    expect([codeOf(answer), answer.headers.get('retry-after')]).toEqual(['RATE_LIMITED', seconds]);
  });

  it('429:retry-after-date=2 sends an HTTP-date at least 2 s and less than 3 s ahead', async () => {
    const before = Date.now();
    const header = (await answerTo('429:retry-after-date=2')).headers.get('retry-after') ?? '';
    expect(header).toMatch(/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
    expect(Date.parse(header)).toBeGreaterThanOrEqual(before + 2000);
    expect(Date.parse(header)).toBeLessThan(Date.now() + 3000);
  });

  it('302 names a Location', async () => {
    expect((await answerTo('302')).headers.get('location')).toBe('/v1/moved');
  });

  it('html-502 is a proxy page without a request_id', async () => {
    const answer = await answerTo('html-502');
    expect(answer.text).toContain('<h1>502 Bad Gateway</h1>');
    expect([answer.headers.get('content-type'), answer.headers.get('x-request-id')]).toEqual(['text/html', null]);
  });

  it('empty-500 has its request_id in the header alone', async () => {
    const answer = await answerTo('empty-500');
    expect([answer.text, answer.headers.get('x-request-id')]).toEqual(['', expect.stringMatching(/^req_/)]);
  });

  it('not-json-400 is text', async () => {
    const answer = await answerTo('not-json-400');
    expect([answer.headers.get('content-type'), answer.text]).toEqual(['text/plain', 'Bad Request']);
  });

  it('problem-422 is RFC 9457 problem+json', async () => {
    const answer = await answerTo('problem-422');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(jsonOf(answer)).toMatchObject({ type: expect.any(String), title: 'Unprocessable', status: 422 });
  });

  it('requestId-400 has requestId, and neither request_id nor the header', async () => {
    const answer = await answerTo('requestId-400');
    expect(jsonOf(answer)).toEqual({
      code: 'VALIDATION_ERROR',
      message: expect.any(String),
      requestId: expect.any(String),
    });
    expect(answer.headers.get('x-request-id')).toBeNull();
  });

  it('echo-403 repeats the API key as it is, in base64 and escaped', async () => {
    const answer = await answerTo('echo-403');
    expect(jsonOf(answer)).toMatchObject({
      code: 'FORBIDDEN',
      details: { 'sandbox-key': 'sandbox-key', base64: btoa('sandbox-key'), escaped: 'sandbox-key' },
    });
    expect(answer.text).toContain(String.raw`"escaped":"\u0073\u0061\u006e`);
  });

  it('big-500:300 is an envelope of exactly 300 KiB', async () => {
    const answer = await answerTo('big-500:300');
    expect([answer.text.length, codeOf(answer)]).toEqual([300 * 1024, 'INTERNAL_ERROR']);
  });

  it('drip-500:250 takes that long and is whole in the end', async () => {
    const startedAt = performance.now();
    expect(codeOf(await answerTo('drip-500:250'))).toBe('INTERNAL_ERROR');
    expect(performance.now() - startedAt).toBeGreaterThan(240);
  });

  it('early-hints sends a 103 before the 201', async () => {
    const sandbox = await startSandbox();
    const options = { method: 'POST', headers: { 'x-api-key': 'sandbox-key' } };
    const request = httpRequest(`${sandbox.url}${OPT_IN}`, options);
    const statuses: unknown[] = [];
    request.on('information', (info) => statuses.push(info.statusCode));
    request.end(JSON.stringify(planned('early-hints')));
    const [response] = await once(request, 'response');
    response.resume();
    expect([...statuses, response.statusCode]).toEqual([103, 201]);
  });

  it.each(['reset-before', 'reset-after'])('%s is a TCP reset', async (step) => {
    await expect(answerTo(step)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  });
});

describe('the strict reading of a plan', () => {
  it.each([
    '',
    'OK',
    ' ok',
    '418',
    'toString',
    '__proto__',
    'slow',
    'slow:',
    'slow:-1',
    'slow:1.5',
    'slow:01',
    'slow:1e3',
    'slow:600001',
    '429:',
    '429:retry-after',
    '429:retry-after=',
    '429:retry-after=.5',
    '429:retry-after=2s',
    '429:retry-after-date=1.5',
    'big-500:16385',
    '503-stored',
    'slow:1\n',
  ])('the step %j is SANDBOX_PLAN_INVALID, and the allowed ones are named', async (step) => {
    const sandbox = await startSandbox();
    const key = newKey();
    const refused = await post(sandbox, { key, body: planned('ok', step) });
    expect([refused.status, codeOf(refused)]).toEqual([400, 'SANDBOX_PLAN_INVALID']);
    expect(jsonOf(refused)['message']).toContain('slow:MS');
    expect(sandbox.entry(key)).toMatchObject({ applications: 0, sends: [{ step: null, status: 400 }] });
  });

  it.each([null, 'ok', [], {}, { plan: 'ok' }, { plan: [503] }, { plan: [], more: 1 }])(
    '"sandbox": %j is refused',
    async (sandbox) => {
      const refused = await post(await startSandbox(), { body: { phone_number: '+39333', sandbox } });
      expect(codeOf(refused)).toBe('SANDBOX_PLAN_INVALID');
    },
  );

  it('an empty plan is a plan: every send is ok', async () => {
    const sandbox = await startSandbox({ faults: { '503': 1 } });
    expect((await post(sandbox, { body: planned() })).status).toBe(201);
  });
});

async function answerTo(step: string) {
  return post(await startSandbox(), { key: newKey(), body: planned(step) });
}

async function sendTwice(step: string) {
  const sandbox = await startSandbox();
  const sent = { key: newKey(), body: planned(step) };
  const first = await sendFirst(sandbox, step, sent);
  const appliedByFirst = sandbox.entry(sent.key)?.sends[0]?.applied;
  const second = await post(sandbox, sent);
  return { first, appliedByFirst, status: second.status, replayed: second.headers.get('idempotent-replayed') };
}

async function sendFirst(sandbox: Sandbox, step: string, sent: Sent & { readonly key: string }) {
  try {
    if (!step.startsWith('hang')) return (await post(sandbox, sent)).status;
    await sendAndLeave(sandbox, sent);
  } catch {}
  return 'no answer';
}
