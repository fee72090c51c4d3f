// The letters before and after one in the list that it was opened from. Asked for by the time of death: the list's own
// cursor is not in the address of a letter.
import { call } from '../../api/client.ts';
import { type Filter, filterParams } from '../../logic/filter-url.ts';

export interface Neighbours {
  newer?: { destination: string; id: string };
  older?: { destination: string; id: string };
}

/** More letters than this of the same millisecond are passed over. */
const LOOK = 20;

export async function neighboursOf(
  at: { id: string; deadAt: number },
  filter: Filter,
  signal: AbortSignal,
): Promise<Neighbours> {
  const ask = async (first: 'newest' | 'oldest', bounds: Filter) => {
    const query = new URLSearchParams([
      ...filterParams({ ...filter, ...bounds }),
      ['first', first],
      ['limit', String(LOOK)],
    ]);
    const { items } = await call('letters', { query, signal });
    const here = items.findIndex((item) => item.id === at.id);
    // A letter that was handled has left the list, and its place is between these.
    const next = here >= 0 ? items[here + 1] : items[0];
    return next && { destination: next.destination, id: next.id };
  };
  const [older, newer] = await Promise.all([
    ask('newest', { before: Math.min(at.deadAt + 1, filter.before ?? Infinity) }),
    ask('oldest', { since: Math.max(at.deadAt, filter.since ?? 0) }),
  ]);
  return { ...(older && { older }), ...(newer && { newer }) };
}
