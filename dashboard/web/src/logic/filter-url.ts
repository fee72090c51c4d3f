// The filter of dead letters ⇄ the page's address, and the filter in words. Pure. What an address holds that is no
// filter is dropped: the server would refuse it, and a mistyped address still shows something.
import { DEAD_REASONS } from '../../../../core/decide.ts';
import { MAX_CODE } from '../../../../core/envelope.ts';
import { VERDICTS } from '../../../../core/verdict.ts';
import type { LetterFilterQuery } from '../../../api/contract/filter.ts';

/** As the address has it; a missing state means the open ones. */
export type Filter = Partial<LetterFilterQuery>;

export const STATES = ['open', 'replayed', 'discarded'] as const satisfies readonly LetterFilterQuery['state'][];

/** The contract's, whose file brings its schemas along. */
const MAX_TEXT = 200;

const oneOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): T | undefined =>
    allowed.find((value) => value === text);
const whole =
  (min: number, max: number) =>
  (text: string): number | undefined =>
    /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined;
const words =
  (max: number) =>
  (text: string): string | undefined =>
    text.length > 0 && text.length <= max ? text : undefined;
const instant = (text: string): number | undefined => {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isSafeInteger(at) && at >= 0 ? at : undefined;
};

const READERS: { [K in keyof Filter]-?: (text: string) => Filter[K] | undefined } = {
  destination: (text) => (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(text) ? text : undefined),
  state: oneOf(STATES),
  code: words(MAX_CODE),
  field: words(MAX_CODE),
  without: oneOf(['code', 'field', 'code,field']),
  status: whole(100, 599),
  reason: oneOf(DEAD_REASONS),
  verdict: oneOf(VERDICTS),
  attempts: whole(0, 1000),
  replayed: oneOf(['yes', 'no']),
  since: instant,
  before: instant,
  q: words(MAX_TEXT),
};
/** In the order in which an address and the chips have them. */
export const FILTER_FIELDS = Object.keys(READERS) as (keyof Filter)[];

/** @param field whose value `text` is, as a person typed it or an address has it */
export const readField = (field: keyof Filter, text: string): Filter =>
  Object.fromEntries([[field, READERS[field](text)]].filter(([, value]) => value !== undefined)) as Filter;

export function readFilter(query: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const field of FILTER_FIELDS) Object.assign(filter, readField(field, query.get(field) ?? ''));
  if (filter.state === 'open') delete filter.state;
  return isContradictory(filter) ? without(filter, 'without') : filter;
}

/** Whether it asks for a code or a field and for none: no letter is meant by that. */
export const isContradictory = ({ without: lacks, code, field }: Filter): boolean =>
  (code !== undefined && lacks?.includes('code')) || (field !== undefined && lacks?.includes('field')) || false;

export function filterParams(filter: Filter): URLSearchParams {
  const query = new URLSearchParams();
  for (const field of FILTER_FIELDS) {
    const value = filter[field];
    if (value !== undefined && !(field === 'state' && value === 'open')) query.set(field, String(value));
  }
  return query;
}

/** The filter without one of its fields. */
export function without(filter: Filter, ...fields: (keyof Filter)[]): Filter {
  const rest = { ...filter };
  for (const field of fields) delete rest[field];
  return rest;
}

/** What a bulk operation takes: the destination stands beside it, the state follows from the act. */
export const bulkFilter = (filter: Filter): Filter => without(filter, 'destination', 'state');

const NAMES: Record<keyof Filter, string> = {
  destination: 'destination',
  state: 'state',
  code: 'code',
  field: 'field',
  without: 'without',
  status: 'status',
  reason: 'reason',
  verdict: 'verdict',
  attempts: 'attempts',
  replayed: 'replayed before',
  since: 'since',
  before: 'before',
  q: 'text',
};

export interface Chip {
  field: keyof Filter;
  name: string;
  value: string;
}

/** @param time says an instant in the zone that the person chose */
export const chipsOf = (filter: Filter, time: (at: number) => string): Chip[] =>
  FILTER_FIELDS.flatMap((field) => {
    const value = filter[field];
    if (value === undefined) return [];
    return [{ field, name: NAMES[field], value: wordsOf(field, value, time) }];
  });

function wordsOf(field: keyof Filter, value: string | number, time: (at: number) => string): string {
  if (typeof value === 'number') return field === 'since' || field === 'before' ? time(value) : String(value);
  return field === 'without' ? value.replace(',', ' and ') : value;
}
