// Where a write stands, by any id of it. Delivered writes have no row by request_id: the newest are gone through.
import { findDelivered } from '../../../queue/find-delivered.ts';
import { find } from '../../../queue/find.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { findQuery, found } from '../contract/audit.ts';
import { destinationsMeant } from '../meant.ts';
import { foundOf } from '../shown/found.ts';
import { dataRoute } from './data-route.ts';

/** Delivered writes that one request goes through, over all destinations. */
const DELIVERED_SCAN = 20_000;

export function findRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'find',
    { summary: 'Any write, by its key, job id, dead letter id or request_id', query: findQuery, answer: found },
    async ({ query: { id, destination }, reader }) => {
      const now = await reader.now();
      const names = await destinationsMeant({ config, reader }, destination);
      const only = names.length === 0 ? undefined : destination;
      const nothing = { found: [], scanned: 0, kept: 0 };
      const direct = names.length === 0 ? [] : await find(reader, id, only);
      const scan =
        direct.length > 0 || names.length === 0
          ? nothing
          : await findDelivered(reader, id, {
              limit: DELIVERED_SCAN,
              ...(only !== undefined && { destination: only }),
            });
      const all = [...direct, ...scan.found];
      return {
        writes: all.map((one) => foundOf(one, config)),
        scanned: scan.scanned,
        more: all.length === 0 && scan.scanned < scan.kept,
        now,
      };
    },
  );
}
