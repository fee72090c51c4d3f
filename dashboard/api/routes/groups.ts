// Dead letters folded: by destination, code and field; and by slices of time.
import { groupsOf, histogramOf, type LetterGroup, type Slices } from '../../../queue/groups.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import type { LetterFilterQuery } from '../contract/filter.ts';
import { groupList, groupQuery, histogram, histogramQuery } from '../contract/letters.ts';
import { foldGroups, foldTimes } from '../fold-letters.ts';
import { destinationsMeant, filterOf, type Letter, type Meant, pageOf, shareOf } from '../meant.ts';
import { hintFor } from '../shown/hints.ts';
import { slicesOf } from '../slices.ts';
import { dataRoute } from './data-route.ts';

/** A chart goes no further back, where the filter does not say so. */
const LONGEST_MS = 90 * 86_400_000;
/** And no less far: what died in one moment is a moment of some minutes. */
const SHORTEST_MS = 10 * 60_000;

export function groupRoutes(app: DashboardApp, context: DashboardContext): void {
  const { config } = context;
  dataRoute(
    app,
    context,
    'groups',
    { summary: 'Dead letters by destination, code and field', query: groupQuery, answer: groupList },
    async ({ query, reader, signal }) => {
      const { limit, slices, ...filter } = query;
      const now = await reader.now();
      const meant: Meant = { config, reader, signal, query: filter };
      const names = await destinationsMeant(meant, filter.destination);
      const spark = await spanOf(meant, now, slices);
      const all: LetterGroup[] = [];
      const more = { other: 0, atLeast: false };
      for (const destination of names) {
        signal.throwIfAborted();
        if (rowsTell(filter)) {
          const one = await groupsOf(reader, destination, { filter: filterOf(filter), spark });
          all.push(...one.groups);
          more.other += one.other;
        } else {
          const one = await foldGroups(meant, destination, shareOf(names), spark);
          all.push(...one.groups);
          more.atLeast ||= one.atLeast;
        }
      }
      const groups = all.toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt);
      const lastDeadAt = all.length === 0 && more.other === 0 ? await lastDeath(meant) : undefined;
      return {
        groups: groups.slice(0, limit).map((group) => {
          const hint = group.code === undefined ? undefined : hintFor(group.code);
          return { ...group, ...(hint !== undefined && { hint }) };
        }),
        total: groups.length,
        more: groups.length > limit,
        ...more,
        sparkFrom: spark.from,
        sparkStepMs: spark.stepMs,
        ...(lastDeadAt !== undefined && { lastDeadAt }),
        now,
      };
    },
  );
  dataRoute(
    app,
    context,
    'histogram',
    { summary: 'Deaths by slice of time', query: histogramQuery, answer: histogram },
    async ({ query, reader, signal }) => {
      const { slices, ...filter } = query;
      const meant: Meant = { config, reader, signal, query: filter };
      const names = await destinationsMeant(meant, filter.destination);
      const span = await spanOf(meant, await reader.now(), slices);
      const all = { counts: Array.from({ length: span.slices }, () => 0), atLeast: false };
      for (const destination of names) {
        signal.throwIfAborted();
        const one = rowsTell(filter)
          ? await histogramOf(reader, destination, { filter: filterOf(filter), ...span })
          : await foldTimes(meant, destination, shareOf(names), span);
        one.counts.forEach((count, i) => (all.counts[i] = (all.counts[i] ?? 0) + count));
        all.atLeast ||= one.atLeast;
      }
      return { from: span.from, stepMs: span.stepMs, ...all };
    },
  );
}

const timeOf = ({ deadAt }: Letter): number => deadAt;

/** Only open letters have rows, and none tells of texts. */
const rowsTell = ({ state, q }: LetterFilterQuery): boolean => state === 'open' && q === undefined;

/** From the filter's bounds, or from the oldest letter that there is, until now. */
async function spanOf(meant: Meant, now: number, slices: number): Promise<Slices> {
  const { since, before, destination, state } = meant.query;
  const to = before === undefined ? now : Math.min(before - 1, now);
  const earliest = to - LONGEST_MS;
  if (since !== undefined) return slicesOf(Math.min(Math.max(since, earliest), to), to, slices);
  const oldest = await pageOf({ ...meant, query: { state, destination } }, { first: 'oldest', limit: 1 }, timeOf);
  const begin = oldest.items[0] ?? to - 86_400_000;
  return slicesOf(Math.max(earliest, Math.min(begin, to - SHORTEST_MS)), to, slices);
}

/** When the newest of all letters died, handled ones too. */
async function lastDeath(meant: Meant): Promise<number | undefined> {
  const deaths: number[] = [];
  for (const state of ['open', 'replayed', 'discarded'] as const) {
    const query = { state, destination: meant.query.destination };
    const page = await pageOf({ ...meant, query }, { first: 'newest', limit: 1 }, timeOf);
    deaths.push(...page.items);
  }
  return deaths.length === 0 ? undefined : Math.max(...deaths);
}
