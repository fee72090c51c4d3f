// A route that reads or changes what stands in Redis: within a time limit, whatever Redis and the filter are like.
import type { z } from 'zod';
import type { Reader } from '../../../queue/reader.ts';
import { type Asked, type DashboardApp, type DashboardContext, route, type RouteSchemas } from '../app.ts';
import type { RouteName } from '../contract/routes.ts';
import { ApiError } from '../errors.ts';

/** Longer than a bounded search takes, and shorter than what proxies and people wait for. */
export const REQUEST_LIMIT_MS = 20_000;

interface Reading {
  reader: Reader;
  /** Aborted when the answer is too late for anybody: a search ends then. */
  signal: AbortSignal;
}

export function dataRoute<
  N extends RouteName,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUnknown,
>(
  app: DashboardApp,
  context: DashboardContext,
  name: N,
  schemas: RouteSchemas<P, Q, B, A>,
  handler: (asked: Asked<N, z.output<P>, z.output<Q>, z.output<B>> & Reading) => Promise<z.output<A>>,
): void {
  route(app, name, schemas, (asked) =>
    inTime(REQUEST_LIMIT_MS, async (signal) => handler({ ...asked, signal, reader: await context.reader() })),
  );
}

/** @throws ApiError 503 TOO_SLOW after limitMs; an act that is under way then may still be done */
export async function inTime<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = limitMs / 1000;
      const words = `no answer within ${seconds} s; what was to be changed may have been: look before you try again`;
      const error = new ApiError(503, 'TOO_SLOW', words, { headers: { 'retry-after': '5' } });
      ended.abort(error);
      reject(error);
    }, limitMs);
  });
  try {
    return await Promise.race([work(ended.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
