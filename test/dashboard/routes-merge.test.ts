import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CursorKind, placeIn, writeCursor } from '../../dashboard/api/cursor.ts';
import { merge, type Part, type Spot } from '../../dashboard/api/merge.ts';
import { slicesOf } from '../../dashboard/api/slices.ts';

interface Row extends Spot {
  destination: string;
}

const bytes = (id: string): Buffer => Buffer.from(id);

/** A destination's list as Redis gives it, of which no more than `scanLimit` rows are looked at for a page. */
function source(all: readonly Row[], first: 'newest' | 'oldest', limit: number, scanLimit: number) {
  const sign = first === 'oldest' ? 1 : -1;
  const order = (a: Spot, b: Spot): number => sign * (a.at - b.at || Buffer.compare(bytes(a.id), bytes(b.id)));
  return async (destination: string, after: Spot | undefined): Promise<Part<Row>> => {
    const own = all.filter((row) => row.destination === destination).toSorted(order);
    const rest = after ? own.filter((row) => order(row, after) > 0) : own;
    const looked = rest.slice(0, Math.min(limit, scanLimit));
    const last = looked.at(-1);
    return {
      items: looked.map((item) => ({ item, spot: { at: item.at, id: item.id } })),
      ...(last && looked.length < rest.length && { next: { at: last.at, id: last.id } }),
      scanned: looked.length,
    };
  };
}

const rows = fc.uniqueArray(
  fc.record({
    // Few times: most rows share theirs with one of another destination.
    at: fc.integer({ min: 0, max: 3 }),
    destination: fc.constantFrom('a', 'b', 'c'),
    id: fc.oneof(fc.constantFrom('x.g0', 'y.g0', 'y.g1'), fc.string({ minLength: 1, maxLength: 5, unit: 'binary' })),
  }),
  { selector: ({ destination, id }) => `${destination} ${id}`, maxLength: 40 },
);

describe('a list over several destinations', () => {
  test('loses none and doubles none, whatever times they share and however little is looked at for a page', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom<'newest' | 'oldest'>('newest', 'oldest'),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        async (all, first, limit, scanLimit) => {
          const given: Row[] = [];
          let cursor: string | undefined;
          for (let pages = 0; pages <= all.length * 3 + 1; pages++) {
            const after = placeIn(first, cursor);
            const page = await merge(['a', 'b', 'c'], { first, after, limit }, source(all, first, limit, scanLimit));
            given.push(...page.items);
            expect(page.items.length).toBeLessThanOrEqual(limit);
            cursor = page.next && writeCursor(first, page.next);
            if (cursor === undefined) break;
          }
          expect(cursor).toBeUndefined();
          const sign = first === 'oldest' ? 1 : -1;
          const inOrder = all.toSorted(
            (a, b) =>
              sign *
              (a.at - b.at ||
                (a.destination < b.destination ? -1 : a.destination > b.destination ? 1 : 0) ||
                Buffer.compare(bytes(a.id), bytes(b.id))),
          );
          expect(given).toEqual(inOrder);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a cursor', () => {
  test('is text for an address, and is read as it was written', () => {
    const place = { at: 1_790_000_000_000, destination: 'sms', id: `w4é\u202e${'\u0000'.repeat(290)}.g0` };
    const text = writeCursor('newest', place);
    expect(text).toMatch(/^[A-Za-z0-9_-]{1,5000}$/);
    expect(placeIn('newest', text)).toEqual(place);
  });

  const bad: [string, CursorKind, string][] = [
    ['that is no base64', 'newest', '!!'],
    ['of the other order', 'newest', writeCursor('oldest', { at: 1, destination: 'a', id: 'x' })],
    ['of the audit', 'oldest', writeCursor('audit', { at: 1, destination: 'a', id: '1' })],
    ['with another time', 'newest', Buffer.from('["newest","1","a","x"]').toString('base64url')],
    ['with more in it', 'newest', Buffer.from('["newest",1,"a","x",1]').toString('base64url')],
    ['that is an object', 'newest', Buffer.from('{"__proto__":1}').toString('base64url')],
  ];
  test.each(bad)('%s is refused', (_, kind, text) => {
    expect(() => placeIn(kind, text)).toThrow(expect.objectContaining({ status: 400, code: 'INVALID_CURSOR' }));
  });
});

test('the slices of a chart hold both of its ends, are of a round length, and no more than were asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1.8e12 }),
      fc.integer({ min: 0, max: 400 * 86_400_000 }),
      fc.integer({ min: 2, max: 400 }),
      (from, span, most) => {
        const { from: begin, stepMs, slices } = slicesOf(from, from + span, most);
        expect(begin).toBeLessThanOrEqual(from);
        expect(begin + stepMs * slices).toBeGreaterThan(from + span);
        expect(slices).toBeLessThanOrEqual(most);
        expect(begin % stepMs).toBe(0);
      },
    ),
  );
});
