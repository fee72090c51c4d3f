// The page has no button for a probe, and shows what was probed on the terminal.
import { expect, onTestFinished, test } from 'vitest';
import { auditList } from '../../dashboard/api/contract/audit.ts';
import { letterDetail } from '../../dashboard/api/contract/letters.ts';
import { probe, waitForAnswer } from '../../queue/probe.ts';
import { createWorld, planned } from '../support/world.ts';
import { startOffice } from './routes-office.ts';

test('a probe stands in the history of its letter and in the audit, and what it left names its one attempt', async () => {
  const world = await createWorld();
  await world.startWorker();
  const office = await startOffice(world.config);
  onTestFinished(() => office.stop());
  const { data } = await world.queue.add('send', planned('302', '503'));
  const { letter } = await world.until(data.idempotencyKey, 'dead');
  const id = letter?.id ?? '';
  const going = await probe(world.reader, world.name, id, { by: 'ann', reason: 'the customer asks' });
  const answer = await waitForAnswer(world.reader, going, 15_000);
  const vera = office.as('vera');
  const shown = letterDetail.parse((await vera.get(`/api/dead-letters/${world.name}/${id}`)).json);
  const act = { act: 'probe', by: 'ann', reason: 'the customer asks', generation: 1 };
  expect(shown).toMatchObject({ letter: { state: 'replayed', handled: act }, acts: [act], writeState: 'dead' });
  const left = letterDetail.parse((await vera.get(`/api/dead-letters/${world.name}/${answer.letter}`)).json);
  expect(left).toMatchObject({
    letter: { generation: 1, verdict: 'in-doubt', because: 'HTTP 503; a probe has one attempt' },
    lineage: [{ id, state: 'replayed' }, { generation: 1 }],
  });
  const { entries } = auditList.parse((await vera.get('/api/audit?act=probe')).json);
  expect(entries).toMatchObject([{ ...act, letter: id, verdict: 'in-doubt', destination: world.name }]);
  const csv = await vera.get('/api/audit/export?format=csv');
  expect(csv.text).toMatch(/,"probe","ann","the customer asks",/);
});
