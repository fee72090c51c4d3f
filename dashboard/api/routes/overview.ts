// All destinations at a glance: those that were ever used. One that is configured alone has nothing to show.
import { overviewOf } from '../../../queue/overview.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { overview, overviewQuery } from '../contract/overview.ts';
import { dataRoute } from './data-route.ts';

export function overviewRoutes(app: DashboardApp, context: DashboardContext): void {
  dataRoute(
    app,
    context,
    'overview',
    { summary: 'What goes on at each destination', query: overviewQuery, answer: overview },
    ({ query: { minutes }, reader }) => overviewOf(reader, context.config, { minutes }),
  );
}
