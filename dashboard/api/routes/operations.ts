// Bulk operations: all of them, one, its items; paused, resumed and cancelled by who is signed in.
import { cancelOperation, pauseOperation, resumeOperation } from '../../../queue/operations/control.ts';
import type { Operation } from '../../../queue/operations/operation.ts';
import { getOperation, listOperations, operationItems } from '../../../queue/operations/read.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import type { LetterFilterQuery } from '../contract/filter.ts';
import { actRequest } from '../contract/letters.ts';
import {
  operation,
  type Operation as OperationShown,
  operationItems as itemsAnswer,
  operationItemsQuery,
  operationList,
  operationParams,
  operationsQuery,
} from '../contract/operations.ts';
import { destinationsMeant } from '../meant.ts';
import { dataRoute } from './data-route.ts';

export function operationRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'operations',
    { summary: 'Bulk operations, the newest first', query: operationsQuery, answer: operationList },
    async ({ query: { destination, limit }, reader }) => {
      const names = await destinationsMeant({ config, reader }, destination);
      const newest = names.length === 0 ? [] : await listOperations(reader, destination, limit);
      return { operations: newest.map(operationShown), now: await reader.now() };
    },
  );
  dataRoute(
    app,
    context,
    'operation',
    { summary: 'A bulk operation, and how far it has come', params: operationParams, answer: operation },
    async ({ params: { destination, id }, reader }) => operationShown(await getOperation(reader, destination, id)),
  );
  dataRoute(
    app,
    context,
    'operationItems',
    {
      summary: 'What became of each of its letters',
      params: operationParams,
      query: operationItemsQuery,
      answer: itemsAnswer,
    },
    ({ params: { destination, id }, query, reader }) => operationItems(reader, destination, id, query),
  );
  for (const [name, control, summary] of [
    ['pauseOperation', pauseOperation, 'Halt it; the item under way is finished'],
    ['resumeOperation', resumeOperation, 'Let it go on'],
    ['cancelOperation', cancelOperation, 'End it for good; what was done stays done'],
  ] as const) {
    dataRoute(
      app,
      context,
      name,
      { summary, params: operationParams, body: actRequest, answer: operation },
      async ({ params: { destination, id }, body: { reason }, user, reader }) =>
        operationShown(await control(reader, destination, id, { by: user.name, reason })),
    );
  }
}

/** The filter in the terms of the API. */
export function operationShown({ filter, ...rest }: Operation): OperationShown {
  if (!filter) return rest;
  const { text, replayed, without, ...same } = filter;
  const asked = {
    ...same,
    ...(without !== undefined && { without: without.join(',') as NonNullable<LetterFilterQuery['without']> }),
    ...(replayed !== undefined && { replayed: replayed ? ('yes' as const) : ('no' as const) }),
    ...(text !== undefined && { q: text }),
  };
  return { ...rest, filter: asked };
}
