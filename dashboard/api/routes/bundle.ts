// What one sends to the support of an API about a group: request_ids, and the requests as cURL with nothing secret in
// them. Of the newest letters that are meant, as they are read.
import type { DashboardApp, DashboardContext } from '../app.ts';
import type { LetterFilterQuery } from '../contract/filter.ts';
import { bundleQuery } from '../contract/letters.ts';
import { destinationsMeant, type Letter, lettersMeant, type Meant } from '../meant.ts';
import { bundleOf } from '../shown/bundle.ts';
import { TEXT_TYPE, textOut } from '../stream-out.ts';
import { dataRoute } from './data-route.ts';

export function bundleRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'bundle',
    { summary: 'A support bundle of the newest letters that are meant', query: bundleQuery, contentTypes: [TEXT_TYPE] },
    async ({ query: { limit, ...filter }, reader, reply }) => {
      const now = await reader.now();
      const names = await destinationsMeant({ config, reader }, filter.destination);
      return textOut(reply, 'support-bundle.txt', (ended) => {
        const meant: Meant = { config, reader, signal: ended, query: filter };
        return bundleOf(newest(meant, names, limit), inWords(filter), config, now);
      });
    },
  );
}

async function* newest(meant: Meant, names: readonly string[], limit: number): AsyncGenerator<Letter> {
  let left = limit;
  for (const destination of names) {
    for await (const letter of lettersMeant(meant, destination, { first: 'newest' })) {
      if (left === 0) return;
      left -= 1;
      yield letter;
    }
  }
}

/** `open dead letters with code VALIDATION_ERROR, field phone_number`. */
function inWords({ state, ...filter }: LetterFilterQuery): string {
  const parts = Object.entries(filter).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`${name} ${name === 'since' || name === 'before' ? new Date(value).toISOString() : value}`],
  );
  return `${state} dead letters${parts.length > 0 ? ` with ${parts.join(', ')}` : ''}`;
}
