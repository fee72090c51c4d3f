import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditList } from '../../dashboard/api/contract/audit.ts';
import {
  actAnswer,
  letterDetail,
  letterList,
  replayAnswer,
  type ReplayRequestBody,
} from '../../dashboard/api/contract/letters.ts';
import { errorEnvelope } from '../../dashboard/api/contract/session.ts';
import { createFiller, type Filler, says, usual } from '../support/dead-letters-filler.ts';
import { eventually } from '../support/world.ts';
import { type Asked, type Office, startOffice } from './routes-office.ts';

let filler: Filler;
let office: Office;
let name: string;

beforeAll(async () => {
  filler = await createFiller({ sms: { redact: { body: ['/card'], headers: ['x-signature'] } } });
  office = await startOffice(filler.config);
  name = filler.names.sms ?? '';
});
afterAll(async () => {
  await office?.stop();
  await filler?.close();
});

const REJECTED = { answers: [says(422, 'VALIDATION_ERROR', { details: { field: 'phone_number' } })] };
const DOUBT = { answers: ['reset' as const] };
const one = async (death: Parameters<Filler['die']>[1][number] = REJECTED) =>
  (await filler.die('sms', [death]))[0] ?? { key: '', letter: '', jobId: '' };
const placed = (letter: string, act = ''): string => `/api/dead-letters/${name}/${letter}${act}`;
const conflict = ({ status, json, text }: Asked) => {
  expect(status, text).toBe(409);
  return errorEnvelope.parse(json);
};

describe('two people at one letter', () => {
  test('one replays it, the other is told by whom, when and why', async () => {
    const { letter } = await one();
    const answers = await Promise.all(
      (['ann', 'bob'] as const).map((who) =>
        office.as(who).post(placed(letter, '/replay'), { reason: `${who} mended it` }),
      ),
    );
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status) as [Asked, Asked];
    expect(replayAnswer.parse(won.json)).toMatchObject({ letter, generation: 1, doubleAccepted: false });
    const winner = answers[0] === won ? 'ann' : 'bob';
    expect(conflict(lost)).toMatchObject({
      code: 'LETTER_HANDLED',
      details: {
        state: 'replayed',
        by: winner,
        act: 'replay',
        reason: `${winner} mended it`,
        at: expect.any(Number),
      },
    });
  });

  test('one discards it, the other cannot replay it; it can be restored, once', async () => {
    const { letter } = await one();
    const ann = office.as('ann');
    const bob = office.as('bob');
    const discarded = await ann.post(placed(letter, '/discard'), { reason: 'a test number' });
    expect(actAnswer.parse(discarded.json)).toMatchObject({ act: 'discard', by: 'ann', reason: 'a test number' });
    const refused = conflict(await bob.post(placed(letter, '/replay'), { reason: 'again' }));
    expect(refused).toMatchObject({ code: 'LETTER_HANDLED', details: { by: 'ann', act: 'discard' } });
    expect((await bob.post(placed(letter, '/restore'), { reason: 'not a test' })).status).toBe(200);
    expect(conflict(await ann.post(placed(letter, '/restore'), { reason: 'me too' }))).toMatchObject({
      details: { state: 'open', by: 'bob', act: 'restore' },
    });
  });
});

test('the name in the audit is of who is signed in; a request that says another is refused', async () => {
  const { letter } = await one();
  const other = { reason: 'mine', by: 'somebody else' };
  expect((await office.as('ann').post(placed(letter, '/discard'), other)).status).toBe(400);
  const body = { reason: 'mine' };
  expect((await office.as('ann').post(placed(letter, '/discard'), body)).json).toMatchObject({ by: 'ann' });
  const { json } = await office.as('vera').get(`/api/audit?destination=${name}&act=discard&by=ann`);
  const { entries } = auditList.parse(json);
  expect(entries.find((entry) => entry.letter === letter)).toMatchObject({ by: 'ann', reason: 'mine' });
  const of = auditList.parse((await office.as('vera').get(`/api/audit?destination=${name}&by=somebody`)).json);
  expect(of.entries).toEqual([]);
});

describe('a replay that could apply the write twice', () => {
  test('is refused with the rule that refuses it, and needs the typed words', async () => {
    const { letter } = await one(DOUBT);
    const ask = (body: unknown) => office.as('ann').post(placed(letter, '/replay'), body);
    const refused = conflict(await ask({ reason: 'try', newKey: true }));
    expect(refused).toMatchObject({ code: 'REPLAY_REFUSED', details: { refusal: 'IN_DOUBT' } });
    for (const acceptDouble of [true, 'yes', 'APPLIED TWICE', '']) {
      expect((await ask({ reason: 'try', newKey: true, acceptDouble })).status).toBe(400);
    }
    const { json } = await ask({ reason: 'try', newKey: true, acceptDouble: 'applied twice' });
    expect(replayAnswer.parse(json)).toMatchObject({ doubleAccepted: true });
  });
});

describe('edit and replay', () => {
  const CARD = '4111111111111111';
  const death = {
    ...REJECTED,
    write: {
      headers: { 'x-signature': 'sig-5f3a9c0d1e2b' },
      body: `{"card":"${CARD}","id":12345678901234567890,"phone":"1"}`,
    },
  };
  const shownAt = async (letter: string) => letterDetail.parse((await office.as('ann').get(placed(letter))).json).write;

  test('sends what the masks stand for, every digit, and another key', async () => {
    const { letter, key } = await one(death);
    const shown = await shownAt(letter);
    expect(JSON.stringify(shown)).not.toContain(CARD);
    const body = shown?.body?.replace('"phone":"1"', '"phone":"+4512345678"') ?? '';
    expect(body).toContain('12345678901234567890');
    const edit = { body, headers: shown?.headers ?? {} };
    const request: ReplayRequestBody = { reason: 'the number was wrong', edit };
    const { json, text } = await office.as('ann').post(placed(letter, '/replay'), request);
    const { idempotencyKey } = replayAnswer.parse(json, { error: () => text });
    expect(idempotencyKey).not.toBe(key);
    await eventually(() => expect(filler.sent.map((sent) => sent.key)).toContain(idempotencyKey));
    expect(filler.sent.find((sent) => sent.key === idempotencyKey)).toMatchObject({
      body: `{"card":"${CARD}","id":12345678901234567890,"phone":"+4512345678"}`,
      headers: { 'x-signature': 'sig-5f3a9c0d1e2b' },
    });
    const { acts } = letterDetail.parse((await office.as('vera').get(placed(letter))).json);
    expect(acts).toMatchObject([{ act: 'replay', edited: true, newKey: { idempotencyKey } }]);
  });

  test('never sends a mask: one in another place is refused, and nothing has changed', async () => {
    const { letter } = await one(death);
    const shown = await shownAt(letter);
    const body = shown?.body?.replace('"phone":"1"', '"phone":"[masked 1]"');
    const answer = await office.as('ann').post(placed(letter, '/replay'), { reason: 'try', edit: { body } });
    expect(answer.status).toBe(400);
    expect(errorEnvelope.parse(answer.json)).toMatchObject({ code: 'MASK_MISPLACED' });
    expect(letterDetail.parse((await office.as('vera').get(placed(letter))).json).letter.state).toBe('open');
  });

  test.each([
    ['a body that is no JSON', { body: '{' }],
    ['a path that leaves the API', { path: '//evil.example/' }],
    ['a header that carries a credential', { headers: { authorization: 'Bearer x' } }],
  ])('refuses %s', async (_, edit) => {
    const { letter } = await one();
    const answer = await office.as('ann').post(placed(letter, '/replay'), { reason: 'try', edit });
    expect(answer.status).toBe(400);
    expect(errorEnvelope.parse(answer.json)).toMatchObject({ code: 'INVALID_WRITE' });
  });
});

test.each(['/replay', '/discard', '/restore'])('%s is for operators, and needs a reason', async (act) => {
  const { letter } = await one();
  expect((await office.as('vera').post(placed(letter, act), { reason: 'I may not' })).status).toBe(403);
  for (const reason of [undefined, '', '  ', 'x'.repeat(1001)]) {
    expect((await office.as('ann').post(placed(letter, act), { reason })).status).toBe(400);
  }
  expect((await office.as('ann').post(placed('w4nobody.g0', act), { reason: 'try' })).status).toBe(404);
});

test('the audit is paged, newest first, and none is lost or doubled; as a file it is whole', async () => {
  const dead = await filler.die('sms', usual(12));
  for (const { letter } of dead) await office.as('bob').post(placed(letter, '/discard'), { reason: '=cmd()' });
  const given: string[] = [];
  let cursor = '';
  for (let pages = 0; pages < 20; pages++) {
    const page = await office.as('vera').get(`/api/audit?destination=${name}&by=bob&act=discard&limit=5${cursor}`);
    const { entries, next } = auditList.parse(page.json);
    given.push(...entries.map(({ letter }) => letter ?? ''));
    if (next === undefined) break;
    cursor = `&cursor=${next}`;
  }
  expect(given.filter((letter) => dead.some((other) => other.letter === letter))).toEqual(
    dead.map(({ letter }) => letter).toReversed(),
  );
  expect(new Set(given).size).toBe(given.length);
  const file = await office.as('vera').get(`/api/audit/export?destination=${name}&by=bob&act=discard&format=csv`);
  expect(file.text.split('\r\n').filter(Boolean)).toHaveLength(given.length + 1);
  expect(file.text).toContain(`"'=cmd()"`);
  const wrong = await office.as('vera').get(`/api/audit?cursor=bm9uc2Vuc2U`);
  expect(wrong.status).toBe(400);
});

test('a destination is paused and goes on by an admin alone, and the list says so', async () => {
  const at = (verb: string) => `/api/destinations/${name}/${verb}`;
  expect((await office.as('ann').post(at('pause'), { reason: 'I may not' })).status).toBe(403);
  expect((await office.as('ada').post(at('pause'), { reason: 'their outage' })).json).toMatchObject({
    paused: true,
    changed: true,
    last: { by: 'ada', reason: 'their outage' },
  });
  const { json } = await office.as('vera').get(`/api/overview`);
  expect(json).toMatchObject({ destinations: expect.arrayContaining([expect.objectContaining({ paused: true })]) });
  expect((await office.as('ada').post(at('resume'), { reason: 'over' })).json).toMatchObject({ paused: false });
  expect((await office.as('ada').post('/api/destinations/nobody/pause', { reason: 'x' })).status).toBe(404);
  const list = await office.as('vera').get(`/api/dead-letters?destination=${name}`);
  expect(letterList.parse(list.json).items.length).toBeGreaterThan(0);
});
