// The page's addresses, and nothing else writes one: every link is made here. All stand below the server's base path.
import { type Filter, filterParams } from './logic/filter-url.ts';

/** The paths as the router matches them, below the base path. */
export const PATHS = {
  groups: '/',
  overview: '/overview',
  letters: '/letters',
  letter: '/letters/:destination/:id',
  edit: '/letters/:destination/:id/edit',
  operations: '/operations',
  operation: '/operations/:destination/:id',
  audit: '/audit',
  find: '/find',
  whatIf: '/what-if',
} as const;

let base = '';

/** @param path the base path as `<base href>` has it, with its slash at the end */
export function setBase(path: string): void {
  base = path.replace(/\/+$/, '');
}

/** @param path below the base path, such as `/letters` or `/api/groups` */
export const below = (path: string): string => base + path;

const part = encodeURIComponent;
const withQuery = (path: string, query: URLSearchParams): string => {
  const text = query.toString();
  return below(text === '' ? path : `${path}?${text}`);
};
const only = (values: Record<string, string | undefined>): URLSearchParams =>
  new URLSearchParams(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );

/** Without a filter it says at least that there was a list. */
const wayBack = (from?: Filter): URLSearchParams => {
  const query = filterParams(from ?? {});
  return from === undefined || query.size > 0 ? query : new URLSearchParams({ state: 'open' });
};

/** Addresses, with the base path. */
export const to = {
  groups: (destination?: string) => withQuery(PATHS.groups, only({ destination })),
  overview: (destination?: string) => withQuery(PATHS.overview, only({ destination })),
  letters: (filter: Filter = {}, page: { first?: 'oldest'; cursor?: string } = {}) =>
    withQuery(PATHS.letters, new URLSearchParams([...filterParams(filter), ...only(page)])),
  /** `from` is the filter of the list that it is opened from: the way back and on leads through that list. */
  letter: (destination: string, id: string, from?: Filter) =>
    withQuery(`/letters/${part(destination)}/${part(id)}`, wayBack(from)),
  edit: (destination: string, id: string, from?: Filter) =>
    withQuery(`/letters/${part(destination)}/${part(id)}/edit`, wayBack(from)),
  operations: (destination?: string) => withQuery(PATHS.operations, only({ destination })),
  operation: (destination: string, id: string, query: { result?: string; cursor?: string } = {}) =>
    withQuery(`/operations/${part(destination)}/${part(id)}`, only(query)),
  audit: (query: { destination?: string; by?: string; act?: string; cursor?: string } = {}) =>
    withQuery(PATHS.audit, only(query)),
  find: (id?: string, destination?: string) => withQuery(PATHS.find, only({ id, destination })),
  whatIf: (filter: Filter = {}) => withQuery(PATHS.whatIf, filterParams(filter)),
};
