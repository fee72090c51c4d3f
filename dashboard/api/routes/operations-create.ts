// Planning a bulk operation, and creating it: what is meant is frozen then, and who is signed in has asked for it.
import { MAX_LOOKED_INTO, MAX_NAMED } from '../../../core/bulk.ts';
import { createOperation } from '../../../queue/operations/create.ts';
import type { PlanRequest as Planning } from '../../../queue/operations/operation.ts';
import { planOperation } from '../../../queue/operations/plan.ts';
import type { Reader } from '../../../queue/reader.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { createRequest, operation, plan, planRequest, type PlanRequest } from '../contract/operations.ts';
import { ApiError } from '../errors.ts';
import { filterOf, fold, lettersMeant } from '../meant.ts';
import { maskingOf } from '../shown/masking.ts';
import { rowOf } from '../shown/row.ts';
import { masksNothing } from '../text-search.ts';
import { dataRoute } from './data-route.ts';
import { operationShown } from './operations.ts';

export function operationCreateRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'planOperation',
    { summary: 'What a bulk operation would do; nothing is changed', body: planRequest, answer: plan },
    async ({ body, reader, signal }) => {
      const target = await targetOf(body, Infinity, { context, reader, signal });
      const planned = await planOperation(reader, { ...body, target }, signal);
      const masking = maskingOf(config, body.destination);
      return { ...planned, sample: planned.sample.map((letter) => rowOf(letter, masking)) };
    },
  );
  dataRoute(
    app,
    context,
    'createOperation',
    { summary: 'Begin a bulk operation', body: createRequest, answer: operation, status: 201 },
    async ({ body, user, reader, signal }) => {
      const target = await targetOf(body, body.frozenAt, { context, reader, signal });
      return operationShown(await createOperation(reader, { ...body, target, by: user.name }, signal));
    },
  );
}

/** Where bodies are masked, a text is searched here, in what people see, and the letters are meant by their ids. */
async function targetOf(
  { act, destination, target }: PlanRequest,
  frozenAt: number,
  { context: { config }, reader, signal }: { context: DashboardContext; reader: Reader; signal: AbortSignal },
): Promise<Planning['target']> {
  if ('ids' in target) return target;
  const state = act === 'restore' ? ('discarded' as const) : ('open' as const);
  const { q, before } = target.filter;
  if (q === undefined || masksNothing(config, destination)) {
    return { filter: { ...filterOf(target.filter), ...(q !== undefined && { text: q }) } };
  }
  const query = { ...target.filter, destination, state, before: earlier(before, frozenAt) };
  const ids: string[] = [];
  const letters = lettersMeant({ config, reader, signal, query }, destination, { scanLimit: MAX_LOOKED_INTO });
  const { atLeast } = await fold(letters, ({ id }) => void ids.push(id));
  if (ids.length > 0 && ids.length <= MAX_NAMED && !atLeast) return { ids };
  const why =
    ids.length === 0
      ? 'no dead letter is meant'
      : `the text is searched in ${MAX_LOOKED_INTO} letters at most, and may be in ${MAX_NAMED}: add another filter to it`;
  const field = ids.length === 0 ? 'EMPTY' : 'TOO_MANY';
  throw new ApiError(409, 'OPERATION_REFUSED', why, { details: { field } });
}

const earlier = (before: number | undefined, frozenAt: number): number | undefined =>
  before === undefined && frozenAt === Infinity ? undefined : Math.min(before ?? Infinity, frozenAt);
