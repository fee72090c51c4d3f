// `waybill dead-letters replay` with a changed write: what the flags say of it, judged before anything is asked.
import { WaybillError } from '../core/errors.ts';
import type { WriteEdit } from '../core/mask-write.ts';
import { bodyText, checkHeaders, checkPath } from '../core/write.ts';
import { bodyOfFlags, type Header } from './enqueue-flags.ts';
import { CliError } from './exit-codes.ts';
import type { Io } from './io.ts';

export interface EditFlags {
  path?: string;
  header?: Header[];
  body?: string;
  bodyFile?: string;
}

/**
 * @returns undefined where no flag changes the write
 * @throws CliError USAGE for a part that no write may have, or a body that cannot be read
 */
export async function editOf(io: Io, flags: EditFlags): Promise<WriteEdit | undefined> {
  const { path, header } = flags;
  const body = await bodyOfFlags(io, flags);
  if (path === undefined && header === undefined && body === undefined) return undefined;
  const headers = header && Object.fromEntries(header);
  try {
    if (path !== undefined) checkPath(path);
    if (headers) checkHeaders(headers);
    bodyText(body);
  } catch (error) {
    if (error instanceof WaybillError) throw new CliError('USAGE', error.message, error);
    throw error;
  }
  return { ...(path !== undefined && { path }), ...(headers && { headers }), ...(body !== undefined && { body }) };
}
