// What is judged of the acts of operators is shown acts and sends that were made by hand, and must find what is wrong.
import { describe, expect, test } from 'vitest';
import { jobIdOf } from '../../core/write.ts';
import type { LedgerSend } from '../../dev/testing.ts';
import { type DatedAct, judgeActs, judgePlaces, type Told } from './audited.ts';
import { deadEnd, KEY, LETTER, OTHER_KEY, send } from './doctored.ts';

describe('of the acts of operators, broken is', () => {
  const act = (facts: Partial<DatedAct> & Pick<DatedAct, 'act' | 'doneAt'>): DatedAct => ({
    id: `${facts.act} ${facts.doneAt}`,
    at: facts.doneAt,
    by: 'somebody',
    reason: 'why not',
    letter: LETTER,
    jobId: jobIdOf(KEY),
    verdict: 'not-applied',
    ...facts,
  });
  const discarded = act({ act: 'discard', doneAt: 2000 });
  const restored = act({ act: 'restore', doneAt: 3000 });
  const replayed = act({ act: 'replay', doneAt: 4000 });
  const probed = act({ act: 'probe', doneAt: 4000, verdict: 'in-doubt' });
  const moved = act({ act: 'replay', doneAt: 4000, newKey: { idempotencyKey: OTHER_KEY, jobId: jobIdOf(OTHER_KEY) } });
  const sentAt = (...times: number[]) =>
    times.map((at) => send({ at, applied: at === times.at(-1), status: at === times.at(-1) ? 201 : 403 }));
  const brokenActs = (acts: DatedAct[], sends: Record<string, LedgerSend[]>, told?: [string, Told][]): string[] =>
    judgeActs({
      acts,
      told: new Map(told ?? acts.map(({ id }) => [id, 'done'])),
      sendsOf: (key) => sends[key] ?? [],
      keys: [KEY, OTHER_KEY],
    });

  test('nothing, where each was done once, and the write sent in its lives only', () => {
    expect(brokenActs([discarded, restored, replayed], { [KEY]: sentAt(1000, 4001) })).toEqual([]);
    expect(
      brokenActs([moved], {
        [KEY]: sentAt(1000).map((one) => ({ ...one, applied: false })),
        [OTHER_KEY]: sentAt(4001),
      }),
    ).toEqual([]);
    expect(brokenActs([probed], { [KEY]: sentAt(1000, 4001) })).toEqual([]);
  });

  test('nothing, where a person has accepted that it is applied twice, and it is', () => {
    const sends = { [KEY]: sentAt(1000), [OTHER_KEY]: sentAt(4500) };
    expect(brokenActs([{ ...moved, verdict: 'in-doubt', doubleAccepted: true }], sends)).toEqual([]);
  });

  test.each<[string, string[], RegExp]>([
    [
      'a discarded write that is sent',
      brokenActs([discarded], { [KEY]: sentAt(1000, 2500) }),
      /sent 500 ms after its discard/,
    ],
    ['a restored one', brokenActs([discarded, restored], { [KEY]: sentAt(3500) }), /sent 500 ms after its restore/],
    [
      'one that goes on under another key',
      brokenActs([moved], { [KEY]: sentAt(4500) }),
      /sent 500 ms after its replay/,
    ],
    ['a replay of what was discarded', brokenActs([discarded, replayed], {}), /replay of .*which was discarded/],
    ['a probe of what was discarded', brokenActs([discarded, probed], {}), /probe of .*which was discarded/],
    ['a restore of what was probed', brokenActs([probed, restored], {}), /restore of .*which was replayed/],
    [
      'a write that was applied three times, and one double was accepted',
      brokenActs([{ ...moved, doubleAccepted: true }], { [KEY]: [send(), send()], [OTHER_KEY]: sentAt(4500) }),
      /applied 3 times/,
    ],
    ['an act that is noted twice', brokenActs([discarded, restored, discarded], {}), /noted 2 times/],
    ['an act that is in no audit', brokenActs([], {}, [['gone', 'done']]), /is not in the audit/],
    ['a refused one that is in it', brokenActs([discarded], {}, [[discarded.id, 'refused']]), /was refused/],
    ['one that nobody asked for', brokenActs([discarded], {}, []), /nobody asked/],
    [
      'a write that both keys applied',
      brokenActs([moved], { [KEY]: sentAt(1000), [OTHER_KEY]: sentAt(4500) }),
      /applied 2 times/,
    ],
    ['a new key for a write in doubt', brokenActs([{ ...moved, verdict: 'in-doubt' }], {}), /and is in-doubt/],
  ])('%s', (_, broken, text) => {
    expect(broken).toEqual(expect.arrayContaining([expect.stringMatching(text)]));
  });

  test('a write that does not stand where the last act has put it', () => {
    const ends = { of: () => deadEnd(), letterIds: [], strayLetters: () => [] };
    expect(judgePlaces([], ends, [KEY])).toEqual([]);
    expect(judgePlaces([discarded], ends, [KEY])).toEqual([`${KEY} stands dead, not discarded`]);
    expect(judgePlaces([replayed], ends, [KEY])).toEqual([`${KEY} stands dead, not delivered`]);
    expect(judgePlaces([probed], ends, [KEY])).toEqual([`${KEY} stands dead, not delivered`]);
  });
});
