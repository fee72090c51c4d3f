// An edited write before it is sent: what differs from the dead one, and what of it is sent. Only what differs is: the
// server has the rest byte for byte, with the values behind the masks.
import type { ReplayRequestBody, ShownWrite } from '../../../../api/contract/letters.ts';
import { readJson } from '../../components/json-text.ts';

export interface HeaderLine {
  name: string;
  value: string;
}

export interface Draft {
  path: string;
  headers: HeaderLine[];
  body: string;
}

export interface DraftFault {
  part: 'path' | 'headers' | 'body';
  message: string;
}

export interface HeaderChange {
  name: string;
  before?: string;
  after?: string;
}

export const draftOf = (write: ShownWrite): Draft => ({
  path: write.path,
  headers: Object.entries(write.headers).map(([name, value]) => ({ name, value })),
  body: write.body ?? '',
});

/** Header names are tokens (RFC 9110 §5.6.2). */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- what a header value may not hold
const HEADER_VALUE = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/;

/** What the server would refuse anyway, said while one types. */
export function faultsOf(draft: Draft): DraftFault[] {
  const faults: DraftFault[] = [];
  if (!draft.path.startsWith('/')) faults.push({ part: 'path', message: 'A path starts with /' });
  const seen = new Set<string>();
  for (const { name, value } of draft.headers) {
    if (!HEADER_NAME.test(name))
      faults.push({ part: 'headers', message: `${name || 'An empty line'} is no header name` });
    else if (seen.has(name.toLowerCase())) faults.push({ part: 'headers', message: `${name} stands there twice` });
    else if (!HEADER_VALUE.test(value))
      faults.push({ part: 'headers', message: `${name} has control characters in its value` });
    seen.add(name.toLowerCase());
  }
  const read = draft.body === '' ? undefined : readJson(draft.body);
  if (read?.fault) faults.push({ part: 'body', message: read.fault.message });
  return faults;
}

export function headerChanges(write: ShownWrite, draft: Draft): HeaderChange[] {
  const before = new Map(Object.entries(write.headers));
  const changes: HeaderChange[] = [];
  for (const { name, value } of draft.headers) {
    const was = before.get(name);
    before.delete(name);
    if (was === undefined) changes.push({ name, after: value });
    else if (was !== value) changes.push({ name, before: was, after: value });
  }
  for (const [name, was] of before) changes.push({ name, before: was });
  return changes;
}

/** What is sent of a draft; `undefined` where nothing differs. */
export function editOf(write: ShownWrite, draft: Draft): ReplayRequestBody['edit'] {
  const edit = {
    ...(draft.path !== write.path && { path: draft.path }),
    ...(headerChanges(write, draft).length > 0 && {
      headers: Object.fromEntries(draft.headers.map(({ name, value }) => [name, value])),
    }),
    ...(draft.body !== (write.body ?? '') && { body: draft.body }),
  };
  return Object.keys(edit).length === 0 ? undefined : edit;
}
