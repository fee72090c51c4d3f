// When a key may begin another life: the API counts its life from the first send that it looked up, and that may have
// been the last one that was sent.
import { expect, test } from 'vitest';
import { KEY_MARGIN_MS } from '../../core/admit.ts';
import { admitReplay, type ReplayFacts } from '../../core/replay.ts';

const FIRST_SENT_AT = 1_800_000_000_000;
const TTL_MS = 60_000;
const EXPIRES_AT = FIRST_SENT_AT + TTL_MS;
const FACTS: ReplayFacts = {
  generation: 0,
  verdict: 'not-applied',
  doubtIsFinal: false,
  sendable: true,
  keyFirstSentAt: FIRST_SENT_AT,
  keyUsableUntil: EXPIRES_AT - 20_000,
  keyExpiresAt: EXPIRES_AT,
  rejection: 'fresh',
};
const SAME = { key: 'same', acceptDouble: false, ignoreExpiry: false } as const;

test('a key whose first looked-up send may have been its last one begins no other life before the API has forgotten that', () => {
  const forgottenAt = EXPIRES_AT + TTL_MS + KEY_MARGIN_MS;
  for (const now of [EXPIRES_AT + KEY_MARGIN_MS + 1, forgottenAt]) {
    expect(admitReplay(FACTS, SAME, now)).toMatchObject({ allowed: false, refusal: 'KEY_ENDING' });
  }
  expect(admitReplay(FACTS, SAME, forgottenAt + 1)).toMatchObject({ allowed: true, journal: { generation: 1 } });
});
