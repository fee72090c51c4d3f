// A write as people may see it, and the write that an edited one stands for. A path is not masked: what is secret does
// not belong in it, where every log and proxy has it.
import { isJson, leavesOf, maskBody, type MaskWord, maskWordFor, misplaced, stringsOf, unmaskBody } from './mask.ts';
import { isRecord } from './json.ts';
import type { Write } from './write.ts';

/** What is masked: a destination's `redact`; `all` hides the body whole, and the value of every header. */
export type Masking = { body: readonly string[]; headers: readonly string[] } | 'all';

export interface MaskedWrite {
  headers: Record<string, string>;
  body?: string;
  /** Of what is masked in the body. */
  pointers: string[];
  /** The names of masked headers. */
  names: string[];
  /** The body is there, and is not shown: why, in words. */
  hidden?: string;
  /** What is hidden, as texts, so that it can be found where an API echoes it; missing where it cannot be told. */
  values?: string[];
}

/** What an operator changes; a part that is left out stays as it is. */
export interface WriteEdit {
  path?: string;
  /** All of them: what is not named is gone. */
  headers?: Record<string, string>;
  /** JSON text. */
  body?: string;
}

/** Characters of a hidden body whose values are listed. */
const MAX_TOLD = 65_536;
const UNKNOWN = 'hidden: the configuration of this dashboard lacks the destination, and so what is to be masked';
const NO_JSON = 'hidden: it is not JSON, in which what is to be masked could be found';

/** @param given as it stands in Redis, where it may be anything */
export function maskWrite(given: Pick<Write, 'path' | 'headers' | 'body'>, masking: Masking): MaskedWrite {
  const write = plain(given);
  const word = wordOf(write);
  const isMasked = headerMatcher(masking);
  const headers = Object.entries(write.headers ?? {});
  const names = headers.map(([name]) => name).filter(isMasked);
  const shown = Object.fromEntries(headers.map(([name, value]) => [name, isMasked(name) ? maskOf(name, word) : value]));
  const base = { headers: shown, pointers: [], names };
  const ofHeaders = headers.flatMap(([name, value]) => (isMasked(name) ? [value] : []));
  if (write.body === undefined) return { ...base, values: ofHeaders };
  if (masking === 'all') {
    const tellable = write.body.length <= MAX_TOLD && isJson(write.body);
    return { ...base, hidden: UNKNOWN, ...(tellable && { values: [...ofHeaders, ...leavesOf(write.body)] }) };
  }
  const body = maskBody(write.body, masking.body, word);
  if (!body) return { ...base, hidden: NO_JSON };
  return { ...base, body: body.text, pointers: body.masked, values: [...ofHeaders, ...body.values] };
}

/**
 * What is sent for an edit that may have masks in it.
 * @throws WaybillError MASK_MISPLACED, and INVALID_WRITE for a body that is no JSON
 */
export function unmaskEdit(edit: WriteEdit, given: Write, masking: Masking): WriteEdit {
  const original = plain(given);
  const word = wordOf(original);
  const { path, headers, body } = edit;
  if (path !== undefined && word.isIn(decoded(path))) throw misplaced('path', word.word);
  return {
    ...(path !== undefined && { path }),
    ...(headers && { headers: unmaskHeaders(headers, original, masking, word) }),
    ...(body !== undefined && {
      body: unmaskBody(body, original.body, masking === 'all' ? [] : masking.body, word),
    }),
  };
}

function unmaskHeaders(
  headers: Record<string, string>,
  original: Says,
  masking: Masking,
  word: MaskWord,
): Record<string, string> {
  const isMasked = headerMatcher(masking);
  const before = original.headers ?? {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (!word.isIn(value)) return [name, value];
      const own = name.toLowerCase();
      const back = Object.hasOwn(before, own) && isMasked(own) ? before[own] : undefined;
      if (back === undefined || value.trim() !== maskOf(own, word)) throw misplaced(`headers.${name}`, word.word);
      return [name, back];
    }),
  );
}

/** Named, not numbered: no header's mask can be taken for another's, or for one of the body. */
const maskOf = (name: string, { word }: MaskWord): string => `[${word} ${name.toLowerCase()}]`;

function headerMatcher(masking: Masking): (name: string) => boolean {
  if (masking === 'all') return () => true;
  const names = new Set(masking.headers.map((name) => name.toLowerCase()));
  return (name) => names.has(name.toLowerCase());
}

/** One word for the whole write: a mask of the body is known as one in a header too. */
function wordOf({ path, headers, body }: Says): MaskWord {
  return maskWordFor([decoded(path), ...Object.values(headers ?? {}), ...(body === undefined ? [] : stringsOf(body))]);
}

type Says = Pick<Write, 'path' | 'headers' | 'body'>;

function plain({ path, headers, body }: { path: unknown; headers?: unknown; body?: unknown }): Says {
  const texts = Object.entries(isRecord(headers) ? headers : {}).map(([name, value]) => [name, asText(value)]);
  return {
    path: asText(path),
    headers: Object.fromEntries(texts) as Record<string, string>,
    ...(body !== undefined && { body: asText(body) }),
  };
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(/%5b/gi, '[');
  }
}
