import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { auditList, found } from '../../dashboard/api/contract/audit.ts';
import { groupList, histogram, letterCount, letterDetail, letterList } from '../../dashboard/api/contract/letters.ts';
import { inTime } from '../../dashboard/api/routes/data-route.ts';
import { overview } from '../../dashboard/api/contract/overview.ts';
import { errorEnvelope } from '../../dashboard/api/contract/session.ts';
import { whatIf } from '../../dashboard/api/contract/what-if.ts';
import { filterParams } from '../../dashboard/web/src/logic/filter-url.ts';
import { groupFilter } from '../../dashboard/web/src/logic/group-filter.ts';
import { rowKeys } from '../../queue/keys.ts';
import { createFiller, type Filler, says, usual } from '../support/dead-letters-filler.ts';
import { type Asked, type Office, startOffice } from './routes-office.ts';

let filler: Filler;
let office: Office;
let dead: { key: string; letter: string; jobId: string }[];
let name: string;
let other: string;

beforeAll(async () => {
  filler = await createFiller({ sms: {}, mail: {}, even: {}, odd: {} });
  office = await startOffice(filler.config);
  name = filler.names.sms ?? '';
  other = filler.names.mail ?? '';
  dead = await filler.die('sms', usual(21));
  await filler.die('mail', usual(14));
});
afterAll(async () => {
  await office?.stop();
  await filler?.close();
});

/** @returns the answer, which is exactly what its schema says */
function shaped<S extends z.ZodType>(schema: S, { status, json, text }: Asked): z.output<S> {
  expect(status, text).toBe(200);
  const read = schema.parse(json);
  expect(JSON.parse(JSON.stringify(read))).toEqual(json);
  return read;
}
const here = (query: Record<string, string | number> = {}): string =>
  new URLSearchParams({ destination: name, ...query } as Record<string, string>).toString();

describe('every answer is what its schema says', () => {
  test('the list', async () => {
    const { items } = shaped(letterList, await office.as('vera').get(`/api/dead-letters?${here()}`));
    expect(items).toHaveLength(21);
    expect(items.map(({ deadAt }) => deadAt)).toEqual(items.map(({ deadAt }) => deadAt).toSorted((a, b) => b - a));
  });

  test('the count', async () => {
    const answer = shaped(letterCount, await office.as('vera').get(`/api/dead-letters/count?${here()}`));
    expect(answer).toMatchObject({ count: 21, atLeast: false });
  });

  test('the groups', async () => {
    const answer = shaped(groupList, await office.as('vera').get(`/api/dead-letters/groups?${here()}`));
    const phone = answer.groups.find(({ field }) => field === 'phone_number');
    expect(phone).toMatchObject({ destination: name, code: 'VALIDATION_ERROR', count: 3, statuses: { 422: 3 } });
    expect(phone?.spark.reduce((sum, n) => sum + n, 0)).toBe(3);
    expect(answer.groups.reduce((sum, { count }) => sum + count, answer.other)).toBe(21);
  });

  test("each group's own filter means its letters and no others, also where nothing was answered", async () => {
    const { groups } = groupList.parse((await office.as('vera').get(`/api/dead-letters/groups?${here()}`)).json);
    for (const group of groups) {
      const query = filterParams(groupFilter(group)).toString();
      const count = await office.as('vera').get(`/api/dead-letters/count?${query}`);
      expect(shaped(letterCount, count)).toMatchObject({ count: group.count, atLeast: false });
      const { items } = letterList.parse((await office.as('vera').get(`/api/dead-letters?${query}`)).json);
      for (const { code, field } of items) expect({ code, field }).toEqual({ code: group.code, field: group.field });
    }
    expect(groups.map(({ code }) => code)).toContain('ECONNRESET');
  });

  test('the groups of a searched text, and of handled letters, are folded out of the letters', async () => {
    const answer = shaped(groupList, await office.as('vera').get(`/api/dead-letters/groups?${here({ q: 'opt-out' })}`));
    expect(answer.groups).toMatchObject([{ code: 'SUBSCRIPTION_NOT_FOUND', count: 3 }]);
    const none = await office.as('vera').get(`/api/dead-letters/groups?${here({ state: 'discarded' })}`);
    expect(shaped(groupList, none)).toMatchObject({ groups: [], lastDeadAt: expect.any(Number) });
  });

  test('the histogram', async () => {
    const answer = shaped(histogram, await office.as('vera').get(`/api/dead-letters/histogram?${here()}`));
    expect(answer.counts.reduce((sum, n) => sum + n, 0)).toBe(21);
    const searched = await office.as('vera').get(`/api/dead-letters/histogram?${here({ q: 'opt-out' })}`);
    expect(shaped(histogram, searched).counts.reduce((sum, n) => sum + n, 0)).toBe(3);
  });

  test('one letter', async () => {
    const [one] = dead;
    const answer = shaped(letterDetail, await office.as('vera').get(`/api/dead-letters/${name}/${one?.letter}`));
    expect(answer).toMatchObject({
      letter: { id: one?.letter, code: 'VALIDATION_ERROR', field: 'phone_number', status: 422 },
      envelope: { code: 'VALIDATION_ERROR' },
      writeState: 'dead',
      write: { idempotencyKey: one?.key, path: '/v1/subscriptions/opt-in' },
      replay: { same: { allowed: true }, new: { allowed: true } },
    });
  });

  test('find, by key, by job id, by letter and by request_id', async () => {
    const [one] = dead;
    const detail = shaped(letterDetail, await office.as('vera').get(`/api/dead-letters/${name}/${one?.letter}`));
    for (const id of [one?.key, one?.jobId, one?.letter, detail.requestIds[0]]) {
      const answer = shaped(found, await office.as('vera').get(`/api/find?id=${encodeURIComponent(id ?? '')}`));
      expect(answer.writes).toMatchObject([{ destination: name, state: 'dead', letter: one?.letter }]);
    }
    const none = await office.as('vera').get('/api/find?id=nobody');
    expect(shaped(found, none)).toMatchObject({ writes: [], more: false });
  });

  test('the overview, the audit and what-if', async () => {
    const { destinations } = shaped(overview, await office.as('vera').get('/api/overview?minutes=5'));
    expect(destinations.find(({ destination }) => destination === name)).toMatchObject({ dead: 21, configured: true });
    shaped(auditList, await office.as('vera').get('/api/audit'));
    const asked = { filter: { destination: name }, policy: { maxAttempts: 8, capMs: 60_000 } };
    expect(shaped(whatIf, await office.as('vera').post('/api/what-if', asked))).toMatchObject({ examined: 21 });
  });
});

describe('paging', () => {
  test.each(['newest', 'oldest'])(
    'over two destinations whose letters died at the same times, the %s first, loses none and doubles none',
    async (first) => {
      // In a year that no other test has letters of.
      const from = 1_000_000 + Math.floor(Math.random() * 1e9);
      const all: string[] = [];
      for (const short of ['even', 'odd']) {
        const letters = await filler.die(short, usual(9));
        for (const [i, { letter }] of letters.entries()) await setDeath(short, letter, from + (i % 2));
        all.push(...letters.map(({ letter }) => `${filler.names[short]} ${letter}`));
      }
      const given: { id: string; destination: string; deadAt: number }[] = [];
      let cursor = '';
      for (let pages = 0; pages < 20; pages++) {
        const query = `first=${first}&limit=4&since=${from}&before=${from + 2}${cursor}`;
        const { items, next } = shaped(letterList, await office.as('vera').get(`/api/dead-letters?${query}`));
        given.push(...items);
        if (next === undefined) break;
        cursor = `&cursor=${next}`;
      }
      expect(given.map(({ destination, id }) => `${destination} ${id}`).toSorted()).toEqual(all.toSorted());
      const times = given.map(({ deadAt }) => deadAt);
      expect(times).toEqual(times.toSorted((a, b) => (first === 'oldest' ? a - b : b - a)));
    },
  );

  async function setDeath(short: string, letter: string, deadAt: number): Promise<void> {
    const { reader, names } = filler;
    const destination = names[short] ?? '';
    const key = reader.queue(destination, `${destination}.dead`).toKey(letter);
    const data = JSON.parse((await reader.client.hget(key, 'data')) ?? '{}') as object;
    await reader.client.hset(key, 'data', JSON.stringify({ ...data, deadAt }));
    await reader.client.zadd(rowKeys(destination).byTime, deadAt, letter);
  }

  test.each([
    ['made up', 'bm9uc2Vuc2U'],
    ['too long', 'a'.repeat(5001)],
    ['with a newline', '%0a'],
  ])('a cursor that is %s is refused in the envelope', async (_, cursor) => {
    const { status, json } = await office.as('vera').get(`/api/dead-letters?cursor=${cursor}`);
    expect(status).toBe(400);
    expect(errorEnvelope.parse(json)).toMatchObject({ request_id: expect.stringMatching(/^req_/) });
  });
});

test.each<Record<string, string | number>>([
  {},
  { code: 'VALIDATION_ERROR' },
  { code: 'VALIDATION_ERROR', field: 'email' },
  { status: 503 },
  { status: 422, reason: 'rejected', verdict: 'not-applied' },
  { verdict: 'in-doubt' },
  { attempts: 1, replayed: 'no' },
  { replayed: 'yes' },
  { q: 'opt-out' },
  { q: 'OPT-', code: 'VALIDATION_ERROR' },
  { since: 1 },
  { before: 1 },
  { code: 'NOBODY' },
])('the count of %o is the number of letters in the list, in the export and in the histogram', async (query) => {
  const viewer = office.as('vera');
  const { count } = shaped(letterCount, await viewer.get(`/api/dead-letters/count?${here(query)}`));
  const { items } = shaped(letterList, await viewer.get(`/api/dead-letters?${here({ ...query, limit: 200 })}`));
  expect(items).toHaveLength(count);
  const { text } = await viewer.get(`/api/dead-letters/export?${here(query)}`);
  const exported = text
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { id: string }).id);
  expect(exported.toSorted()).toEqual(items.map(({ id }) => id).toSorted());
  if (query.before !== 1) {
    const slices = shaped(histogram, await viewer.get(`/api/dead-letters/histogram?${here(query)}`));
    expect(slices.counts.reduce((sum, n) => sum + n, 0)).toBe(count);
  }
});

describe('what is asked for wrongly is refused in the envelope', () => {
  test.each([
    ['a destination that is none', '/api/dead-letters?destination=nobody-knows', 404],
    ['a destination with a slash', '/api/dead-letters?destination=a/b', 400],
    ['a letter that is none', '/api/dead-letters/DEST/w4nobody.g0', 404],
    ['a letter with control characters in its id', '/api/dead-letters/DEST/%00%1b%5B2J%E2%80%AE', 404],
    ['an id with a slash', '/api/dead-letters/DEST/a%2Fb%2Fc', 404],
    ['an id of a key of the queue itself', '/api/dead-letters/DEST/events', 404],
    ['an id that is too long', `/api/dead-letters/DEST/${'x'.repeat(301)}`, [400, 404]],
    ['an address that cannot be read', '/api/dead-letters/DEST/%zz', 400],
    ['a code of 10 KB', `/api/dead-letters?code=${'c'.repeat(10_240)}`, 400],
    ['a limit of 0', '/api/dead-letters?limit=0', 400],
    ['a verdict that is none', '/api/dead-letters?verdict=perhaps', 400],
    ['a time that is none', '/api/dead-letters?since=yesterday', 400],
    ['a format that is none', '/api/dead-letters/export?format=xlsx', 400],
    ['find without an id', '/api/find', 400],
  ] as const)('%s', async (_, path, expected) => {
    const { status, json, text } = await office.as('vera').get(path.replace('DEST', name));
    expect([expected].flat(), text).toContain(status);
    expect(errorEnvelope.parse(json).request_id).toMatch(/^req_/);
  });
});

test('what stands in the place of a letter and is none hides no other', async () => {
  const { reader } = filler;
  const [broken] = await filler.die('mail', [{ answers: [says(418, 'TEAPOT')] }]);
  const key = reader.queue(other, `${other}.dead`).toKey(broken?.letter ?? '');
  await reader.client.hset(key, 'data', '{"__proto__":{"a":1},"id":5}');
  const viewer = office.as('vera');
  const { items } = shaped(letterList, await viewer.get(`/api/dead-letters?destination=${other}&limit=200`));
  expect(items.find(({ id }) => id === broken?.letter)?.unreadable).toMatch('cannot be read');
  expect(items.length).toBeGreaterThan(10);
  shaped(letterDetail, await viewer.get(`/api/dead-letters/${other}/${broken?.letter}`));
  for (const format of ['csv', 'ndjson']) {
    const { status, text } = await viewer.get(`/api/dead-letters/export?destination=${other}&format=${format}`);
    expect(status).toBe(200);
    expect(text).toContain(broken?.letter);
  }
  await reader.client.hset(key, 'data', JSON.stringify({ id: broken?.letter }));
});

test('an answer that takes too long is a 503 in the envelope, and its search is told to end', async () => {
  let told: unknown;
  const late = inTime(50, (signal) => {
    signal.addEventListener('abort', () => (told = signal.reason));
    return new Promise<never>(() => {});
  });
  await expect(late).rejects.toMatchObject({ status: 503, code: 'TOO_SLOW' });
  expect(told).toMatchObject({ code: 'TOO_SLOW' });
});
