// From a group to the filter that means its letters and no others. Pure.
import type { Group } from '../../../api/contract/letters.ts';
import type { Filter } from './filter-url.ts';

export function groupFilter({ destination, code, field }: Pick<Group, 'destination' | 'code' | 'field'>): Filter {
  if (code === undefined)
    return { destination, ...(field !== undefined && { field }), without: field === undefined ? 'code,field' : 'code' };
  return { destination, code, ...(field === undefined ? { without: 'field' } : { field }) };
}
