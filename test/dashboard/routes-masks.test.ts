import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { found } from '../../dashboard/api/contract/audit.ts';
import { letterCount, letterDetail, letterList } from '../../dashboard/api/contract/letters.ts';
import { createFiller, type Filler, says } from '../support/dead-letters-filler.ts';
import { type Office, startOffice } from './routes-office.ts';

const BODY_SECRET = 'DE89370400440532013000';
const HEADER_SECRET = 'sig-7b1f6c2e9d4a';
const SECRETS = [BODY_SECRET, HEADER_SECRET, Buffer.from(BODY_SECRET).toString('base64'), 'DE8937040044'];

let filler: Filler;
let office: Office;
let name: string;
let letter: string;
/** Of a write that the API repeated in every part of its answers. */
let loud: string;
let key: string;

beforeAll(async () => {
  filler = await createFiller({
    sms: { redact: { body: ['/payer/iban', '/items/*/iban'], headers: ['X-Signature'] } },
    lost: {},
  });
  const { lost = '', sms = '' } = filler.names;
  name = sms;
  const echo = says(422, 'VALIDATION_ERROR', {
    message: `the iban ${BODY_SECRET} is not known, and ${HEADER_SECRET} is not its signature`,
    details: { field: 'payer.iban', given: BODY_SECRET, encoded: Buffer.from(BODY_SECRET).toString('base64') },
  });
  const everywhere = says(422, `BAD_${BODY_SECRET}`, {
    message: `${HEADER_SECRET} does not sign ${BODY_SECRET}`,
    details: { field: `payer.${BODY_SECRET}`, [HEADER_SECRET]: BODY_SECRET },
    requestId: `req-${HEADER_SECRET}-${BODY_SECRET}`,
  });
  const death = {
    answers: [says(503, 'UNAVAILABLE', { message: `could not store ${BODY_SECRET}` }), echo],
    write: {
      path: '/v1/payouts',
      headers: { 'x-signature': HEADER_SECRET },
      body: { payer: { iban: BODY_SECRET }, items: [{ iban: BODY_SECRET }], note: 'rent' },
    },
    options: { maxAttempts: 2 },
  };
  [{ letter, key } = { letter: '', key: '' }] = await filler.die('sms', [death]);
  [{ letter: loud } = { letter: '' }] = await filler.die('sms', [{ ...death, answers: [everywhere, everywhere] }]);
  await filler.die('lost', [death]);
  // The second destination is one that the dashboard's configuration lacks.
  const { [lost]: _, ...destinations } = filler.config.destinations ?? {};
  office = await startOffice({ ...filler.config, destinations });
});
afterAll(async () => {
  await office?.stop();
  await filler?.close();
});

const lostName = (): string => filler.names.lost ?? '';

test('a masked value leaks in no answer, wherever the API has repeated it', async () => {
  const answers: string[] = [];
  const ask = async (path: string): Promise<void> => {
    const { status, text } = await office.as('ann').get(path);
    expect(status, `${path}: ${text}`).toBe(200);
    answers.push(`${path}\n${text}`);
  };
  const lostLetters = letterList.parse(
    (await office.as('ann').get(`/api/dead-letters?destination=${lostName()}`)).json,
  );
  const lostLetter = lostLetters.items[0];
  for (const destination of [name, lostName()]) {
    for (const route of ['', '/count', '/groups', '/histogram', '/export', '/export', '/bundle']) {
      await ask(`/api/dead-letters${route}?destination=${destination}`);
    }
    await ask(`/api/dead-letters/export?destination=${destination}&format=csv`);
    await ask(`/api/audit?destination=${destination}`);
    await ask(`/api/audit/export?destination=${destination}`);
  }
  await ask(`/api/dead-letters/${name}/${letter}`);
  await ask(`/api/dead-letters/${name}/${loud}`);
  for (const q of ['code=BAD_%5Bredacted%5D', 'field=payer.%5Bredacted%5D']) {
    for (const route of ['', '/groups']) {
      await ask(`/api/dead-letters${route}?destination=${name}&${q}`);
      expect(answers.at(-1)).toContain('BAD_[redacted]');
    }
  }
  const filter = { destination: name, code: 'BAD_[redacted]' };
  const whatIf = await office.as('ann').post('/api/what-if', { filter, policy: { maxAttempts: 9 } });
  expect(whatIf.status).toBe(200);
  answers.push(whatIf.text);
  await ask(`/api/dead-letters/${lostName()}/${lostLetter?.id}`);
  await ask(`/api/find?id=${key}`);
  await ask(`/api/find?id=${lostLetter?.idempotencyKey}`);
  await ask('/api/overview');
  expect(answers.join('\n')).toContain('rent');
  for (const answer of answers) for (const secret of SECRETS) expect(answer).not.toContain(secret);
});

test('what an API repeats is masked before it is stored: in Redis it stands in the write alone', async () => {
  const client = filler.reader.client as Redis;
  const standing: string[] = [];
  for await (const keys of client.scanStream({ match: `{waybill:${name}}:*`, count: 1000 })) {
    for (const stored of keys as string[]) {
      standing.push(stored);
      const type = await client.type(stored);
      if (type === 'hash') {
        const { data = '{}', ...fields } = await client.hgetall(stored);
        const { write: _write, ...rest } = JSON.parse(data) as Record<string, unknown>;
        standing.push(JSON.stringify([fields, rest]));
      } else if (type === 'zset') standing.push(...(await client.zrange(stored, '0', '-1')));
      else if (type === 'stream') standing.push(JSON.stringify(await client.xrange(stored, '-', '+')));
    }
  }
  expect(standing.join('\n')).toContain('BAD_[redacted]');
  for (const secret of SECRETS) expect(standing.join('\n')).not.toContain(secret);
  const stored = filler.reader.queue(name, `${name}.dead`).toKey(loud);
  expect(await client.hget(stored, 'data')).toContain(BODY_SECRET);
});

test('what is not masked is shown as it is, and the masks say where they stand', async () => {
  const { json } = await office.as('ann').get(`/api/dead-letters/${name}/${letter}`);
  expect(letterDetail.parse(json).write).toMatchObject({
    maskedBody: ['/payer/iban', '/items/0/iban'],
    maskedHeaders: ['x-signature'],
    body: '{"payer":{"iban":"[masked 1]"},"items":[{"iban":"[masked 2]"}],"note":"rent"}',
  });
});

test('of a destination that is not configured no body and no header is shown', async () => {
  const list = letterList.parse((await office.as('ann').get(`/api/dead-letters?destination=${lostName()}`)).json);
  const { json, text } = await office.as('ann').get(`/api/dead-letters/${lostName()}/${list.items[0]?.id}`);
  expect(letterDetail.parse(json).write).toMatchObject({ hidden: expect.stringMatching('configuration') });
  expect(text).not.toContain('rent');
});

describe('a search', () => {
  const count = async (q: string) => {
    const query = `destination=${name}&q=${encodeURIComponent(q)}`;
    return letterCount.parse((await office.as('vera').get(`/api/dead-letters/count?${query}`)).json).count;
  };
  test('finds what is shown', async () => {
    expect([await count('rent'), await count('PAYOUTS'), await count('is not known')]).toEqual([2, 2, 1]);
  });

  test('cannot be used to guess what is masked, in the list, the count, the groups, the file or what-if', async () => {
    for (const q of [BODY_SECRET, BODY_SECRET.slice(0, 4), HEADER_SECRET, BODY_SECRET.slice(3)]) {
      expect(await count(q)).toBe(0);
      for (const route of ['', '/groups', '/export', '/bundle', '/histogram']) {
        const yes = await office.as('vera').get(`/api/dead-letters${route}?destination=${name}&q=${q}`);
        expect(yes.status).toBe(200);
        expect(yes.text).not.toContain(letter);
      }
      const asked = { filter: { destination: name, q }, policy: { maxAttempts: 9 } };
      expect((await office.as('vera').post('/api/what-if', asked)).status).toBe(400);
    }
  });
});

test('find shows where a delivered write stands without what was masked in it', async () => {
  const { json: before } = await office
    .as('ann')
    .post(`/api/dead-letters/${name}/${letter}/replay`, { reason: 'fixed' });
  expect(before).toMatchObject({ letter });
  await expect
    .poll(async () => (await office.as('ann').get(`/api/find?id=${key}`)).text, { timeout: 15_000 })
    .toContain('"state":"delivered"');
  const { json, text } = await office.as('ann').get(`/api/find?id=${key}`);
  const [write] = found.parse(json).writes;
  expect(write).toMatchObject({ state: 'delivered', delivery: { status: 201 } });
  for (const secret of SECRETS) expect(text).not.toContain(secret);
  const byRequest = await office.as('ann').get(`/api/find?id=${write?.delivery?.requestId}&destination=${name}`);
  expect(found.parse(byRequest.json)).toMatchObject({ writes: [{ jobId: write?.jobId }], scanned: 1 });
});
