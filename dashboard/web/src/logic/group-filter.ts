// From a group to the filter that means its letters. Pure. A filter can name a code and a field but cannot say "without
// one": then what else the group's letters have in common must tell them apart from the other groups'.
import type { Group } from '../../../api/contract/letters.ts';
import { type Filter, readField } from './filter-url.ts';

type Told = Pick<Group, 'destination' | 'code' | 'field' | 'statuses' | 'reasons' | 'count'>;

export interface GroupFilter {
  filter: Filter;
  /** It means these letters and no others, as far as `all` tells. */
  exact: boolean;
}

/** @param all groups that are known, this one among them */
export function groupFilter(group: Told, all: readonly Told[]): GroupFilter {
  const { destination, code, field } = group;
  const filter: Filter = {
    destination,
    ...(code !== undefined && { code }),
    ...(field !== undefined && { field }),
  };
  let others = all.filter((other) => !isSame(other, group) && isMeant(other, group));
  for (const [name, counts] of [
    ['status', 'statuses'],
    ['reason', 'reasons'],
  ] as const) {
    const common = onlyKey(group[counts], group.count);
    if (others.length === 0 || common === undefined) continue;
    const rest = others.filter((other) => Object.hasOwn(other[counts], common));
    if (rest.length < others.length) Object.assign(filter, readField(name, common));
    others = rest;
  }
  return { filter, exact: others.length === 0 };
}

const isSame = (one: Told, other: Told): boolean =>
  one.destination === other.destination && one.code === other.code && one.field === other.field;

/** Whether the code and the field of `group`, where it has them, mean letters of `other` too. */
const isMeant = (other: Told, group: Told): boolean =>
  other.destination === group.destination &&
  (group.code === undefined || other.code === group.code) &&
  (group.field === undefined || other.field === group.field);

/** The one key, where every letter has it. */
function onlyKey(counts: Record<string, number>, total: number): string | undefined {
  const [first, ...more] = Object.entries(counts);
  return first !== undefined && more.length === 0 && first[1] === total ? first[0] : undefined;
}
