// All routes that read or change what stands in Redis.
import type { DashboardApp, DashboardContext } from '../app.ts';
import { actRoutes } from './acts.ts';
import { auditRoutes } from './audit.ts';
import { bundleRoutes } from './bundle.ts';
import { destinationRoutes } from './destinations.ts';
import { exportRoutes } from './export.ts';
import { findRoutes } from './find.ts';
import { groupRoutes } from './groups.ts';
import { letterRoutes } from './letter.ts';
import { letterListRoutes } from './letters.ts';
import { operationCreateRoutes } from './operations-create.ts';
import { operationRoutes } from './operations.ts';
import { overviewRoutes } from './overview.ts';
import { whatIfRoutes } from './what-if.ts';

export function dataRoutes(app: DashboardApp, context: DashboardContext): void {
  overviewRoutes(app, context);
  letterListRoutes(app, context);
  groupRoutes(app, context);
  exportRoutes(app, context);
  bundleRoutes(app, context);
  letterRoutes(app, context);
  actRoutes(app, context);
  operationCreateRoutes(app, context);
  operationRoutes(app, context);
  auditRoutes(app, context);
  findRoutes(app, context);
  whatIfRoutes(app, context);
  destinationRoutes(app, context);
}
