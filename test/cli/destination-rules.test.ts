import { expect, test } from 'vitest';
import { judgeCredential, judgeReach, judgeSettings, judgeWorker } from '../../cli/destination-rules.ts';
import type { Reach } from '../../cli/reach.ts';
import { type ConfigInput, resolveConfig } from '../../core/config.ts';

type DestinationInput = Partial<NonNullable<ConfigInput['destinations']>[string]>;

const NOW = Date.UTC(2026, 10, 22);
const DAY_MS = 86_400_000;

function configured(input: DestinationInput = {}, worker: ConfigInput['worker'] = {}) {
  const config = resolveConfig({ worker, destinations: { sms: { baseUrl: 'https://api.example.com', ...input } } });
  const { sms } = config.destinations;
  if (!sms) throw new Error('sms is configured');
  return { sms, worker: config.worker };
}

const REACHED: Reach = {
  addresses: ['203.0.113.7'],
  connectMs: 12.3,
  tls: { protocol: 'TLSv1.3', validUntil: NOW + 90 * DAY_MS },
};

const judged = (reach: Reach, input?: DestinationInput) => judgeReach('sms', configured(input).sms, reach, NOW);

test('an API that takes connections and has a good certificate is in order', () =>
  expect(judged(REACHED)).toEqual([
    {
      check: 'address',
      subject: 'sms',
      level: 'ok',
      found: 'api.example.com at 203.0.113.7 takes connections, in 12 ms',
    },
    { check: 'certificate', subject: 'sms', level: 'ok', found: 'TLSv1.3, valid for 90 more day(s)' },
  ]));

test.each([
  ['name', 'ENOTFOUND', 'api.example.com: its name is not resolved (ENOTFOUND)'],
  ['connection', 'ECONNREFUSED', 'api.example.com: it takes no connection (ECONNREFUSED)'],
  ['handshake', 'ETIMEDOUT', 'api.example.com: the TLS handshake fails (ETIMEDOUT)'],
] as const)('an API whose %s fails is a problem', (failedAt, code, found) =>
  expect(judged({ failedAt, code })).toEqual([expect.objectContaining({ check: 'address', level: 'problem', found })]),
);

test('a certificate is a warning 14 days before its end, and a problem when a worker would refuse it', () => {
  const holding = (tls: object) => judged({ ...REACHED, tls: { protocol: 'TLSv1.3', validUntil: NOW, ...tls } }).at(-1);
  expect(holding({ validUntil: NOW + 14 * DAY_MS })).toMatchObject({ level: 'ok' });
  expect(holding({ validUntil: NOW + 14 * DAY_MS - 1 })).toMatchObject({
    level: 'warning',
    found: 'TLSv1.3, valid for 13 more day(s)',
  });
  expect(holding({ fault: 'CERT_HAS_EXPIRED' })).toMatchObject({
    check: 'certificate',
    level: 'problem',
    found: 'it does not convince (CERT_HAS_EXPIRED): a worker sends nothing there',
  });
});

test('a credential that goes over plain http to another machine is a warning', () => {
  const { tls: _, ...plain } = REACHED;
  const auth = { header: 'x-api-key', env: 'KEY' };
  const to = (baseUrl: string, addresses: string[], more: DestinationInput = { auth }) =>
    judged({ ...plain, addresses }, { baseUrl, ...more })[0]?.level;
  expect(to('http://api.example.com', ['203.0.113.7'])).toBe('warning');
  expect(to('http://api.example.com', ['203.0.113.7'], {})).toBe('ok');
  expect(to('http://127.0.0.1:3000', ['127.0.0.1'])).toBe('ok');
  expect(to('http://localhost', ['::1', '127.0.0.1'])).toBe('ok');
});

test('an API that is too far away for its timeoutMs is a warning', () =>
  expect(judged({ ...REACHED, connectMs: 60 }, { timeoutMs: 100 })[0]).toMatchObject({
    level: 'warning',
    advice: 'An attempt has 100 ms in all: raise timeoutMs.',
  }));

test('a credential is told as set or missing', () => {
  expect(judgeCredential('sms', 'set')).toMatchObject({ level: 'ok', found: 'set' });
  expect(judgeCredential('sms', 'none needed')).toMatchObject({ level: 'ok' });
  expect(judgeCredential('sms', { missing: 'KEY' })).toMatchObject({
    level: 'warning',
    found: 'KEY is not set, nor KEY_FILE',
  });
  expect(judgeCredential('sms', { unreadable: 'KEY_FILE' })).toMatchObject({
    level: 'warning',
    found: 'KEY_FILE cannot be read',
  });
});

test('a credential that no worker starts with is told by its fault', () =>
  expect(judgeCredential('sms', { variable: 'KEY', fault: 'is empty' })).toMatchObject({
    level: 'warning',
    found: 'the value of KEY is empty',
  }));

test('the defaults go together', () => {
  const { sms, worker } = configured();
  expect([...judgeSettings('sms', sms, worker), judgeWorker(worker)].map(({ level }) => level)).toEqual(['ok', 'ok']);
});

test('attempts that outlive the key, a grace time that cuts attempts off and a short lock are warnings', () => {
  const outliving = configured({ retry: { maxAttempts: 100, capMs: 3_600_000 } });
  expect(judgeSettings('sms', outliving.sms, outliving.worker)).toEqual([
    expect.objectContaining({
      level: 'warning',
      found: expect.stringMatching(/^100 attempts may take 106\.\d h, the API keeps a key for 24\.0 h/) as string,
    }),
  ]);
  const cutting = configured({}, { graceMs: 1000, lockMs: 1000 });
  expect(judgeSettings('sms', cutting.sms, cutting.worker)).toEqual([
    expect.objectContaining({
      level: 'warning',
      found: expect.stringContaining('worker.graceMs (1000) is shorter than timeoutMs (15000)') as string,
    }),
  ]);
  expect(judgeWorker(cutting.worker)).toMatchObject({ level: 'warning', subject: 'worker' });
});
