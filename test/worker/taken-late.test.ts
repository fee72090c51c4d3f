// A worker that stood still between taking a write and sending it: what may have happened meanwhile counts.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { policyOf, resolveConfig } from '../../core/config.ts';
import { emptyJournal } from '../../core/journal.ts';
import { toWrite } from '../../core/write.ts';
import { processWrite } from '../../worker/process.ts';

const { destinations, worker } = resolveConfig({
  destinations: { sms: { baseUrl: 'http://127.0.0.1:1', timeoutMs: 1000, idempotency: { ttlMs: 60_000 } } },
});
const write = toWrite({ method: 'POST', path: '/x', body: '{}' }, () => 'key');

const processTaken = async (takenAgoMs: number) => {
  let sends = 0;
  const takenAt = Date.now() - takenAgoMs;
  const settlement = await processWrite(
    { jobId: 'w', write, journal: emptyJournal(), lost: 0, enqueuedAt: takenAt, takenAt },
    {
      destination: 'sms',
      policy: policyOf(destinations.sms!, worker),
      workerName: 'one',
      log: pino({ level: 'silent' }),
      send: async () => {
        sends += 1;
        return { kind: 'response', status: 201, replayed: false, durationMs: 1 };
      },
    },
  );
  return { sends, settlement };
};

test('what was taken longer ago than its key surely lives is not sent: another worker may have sent the key, which has ended', async () => {
  const { sends, settlement } = await processTaken(60_000);
  expect(sends).toBe(0);
  expect(settlement.disposition).toMatchObject({ kind: 'dead', reason: 'key-expired' });
});

test('what was taken a moment ago is sent', async () => {
  const { sends, settlement } = await processTaken(20);
  expect(sends).toBe(1);
  expect(settlement.disposition).toMatchObject({ kind: 'delivered' });
});
