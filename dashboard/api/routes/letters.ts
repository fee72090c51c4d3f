// The list of dead letters over all destinations, a page at a time, and how many are meant.
import type { DashboardApp, DashboardContext } from '../app.ts';
import { letterFilter } from '../contract/filter.ts';
import { letterCount, letterList, letterListQuery } from '../contract/letters.ts';
import { placeIn, writeCursor } from '../cursor.ts';
import { countMeant, pageOf } from '../meant.ts';
import { maskingOf } from '../shown/masking.ts';
import { rowOf } from '../shown/row.ts';
import { dataRoute } from './data-route.ts';

export function letterListRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'letters',
    { summary: 'Dead letters, the newest or the oldest first', query: letterListQuery, answer: letterList },
    async ({ query, reader, signal }) => {
      const { first, limit, cursor, ...filter } = query;
      const after = placeIn(first, cursor);
      const now = await reader.now();
      const meant = { config, reader, signal, query: filter };
      const page = await pageOf(meant, { first, limit, after }, (letter) =>
        rowOf(letter, maskingOf(config, letter.destination)),
      );
      return {
        items: page.items,
        ...(page.next && { next: writeCursor(first, page.next) }),
        ...(page.scanned > 0 && { scanned: page.scanned }),
        now,
      };
    },
  );
  dataRoute(
    app,
    context,
    'countLetters',
    { summary: 'How many dead letters are meant', query: letterFilter, answer: letterCount },
    async ({ query, reader, signal }) => {
      const now = await reader.now();
      return { ...(await countMeant({ config, reader, signal, query })), now };
    },
  );
}
