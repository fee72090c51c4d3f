// Holding a destination, and letting it go on: of admins, with a reason that stands in the audit.
import { pauseDestination, resumeDestination } from '../../../queue/pause.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { pauseAnswer } from '../contract/audit.ts';
import { destinationParams } from '../contract/filter.ts';
import { actRequest } from '../contract/letters.ts';
import { dataRoute } from './data-route.ts';

export function destinationRoutes(app: DashboardApp, context: DashboardContext): void {
  for (const [name, turn, summary] of [
    ['pauseDestination', pauseDestination, 'Let workers fetch no more of its writes'],
    ['resumeDestination', resumeDestination, 'Let them go on'],
  ] as const) {
    dataRoute(
      app,
      context,
      name,
      { summary, params: destinationParams, body: actRequest, answer: pauseAnswer },
      async ({ params: { destination }, body: { reason }, user, reader }) =>
        turn(reader, destination, { by: user.name, reason }),
    );
  }
}
