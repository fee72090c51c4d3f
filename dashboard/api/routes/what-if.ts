// The recorded journals of the letters that are meant against another retry policy.
import { whatIfOf } from '../../../queue/what-if.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { whatIf, whatIfRequest } from '../contract/what-if.ts';
import { ApiError } from '../errors.ts';
import { destinationsMeant, filterOf } from '../meant.ts';
import { masksNothing } from '../text-search.ts';
import { dataRoute } from './data-route.ts';

/** At once, of all people: each may read a hundred megabytes out of Redis. */
const MAX_AT_ONCE = 2;

export function whatIfRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  let underway = 0;
  dataRoute(
    app,
    context,
    'whatIf',
    { summary: 'What another retry policy would have done', body: whatIfRequest, answer: whatIf },
    async ({ body: { filter, policy }, reader, signal }) => {
      const { destination, state, q } = filter;
      const names = await destinationsMeant({ config, reader }, destination);
      if (q !== undefined && !names.every((name) => masksNothing(config, name))) {
        throw new ApiError(400, 'VALIDATION_ERROR', 'q: cannot be asked for here, since a destination masks bodies', {
          details: { field: 'q' },
        });
      }
      const given = Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
      if (underway >= MAX_AT_ONCE) {
        throw new ApiError(503, 'BUSY', `${underway} others ask the same; try again when one is answered`, {
          headers: { 'retry-after': '5' },
        });
      }
      underway += 1;
      try {
        return await whatIfOf(reader, config, {
          destination: names.length === 0 ? undefined : destination,
          states: [state],
          filter: { ...filterOf(filter), ...(q !== undefined && { text: q }) },
          policy: given,
          signal,
        });
      } finally {
        underway -= 1;
      }
    },
  );
}
