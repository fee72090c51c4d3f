// Who may sign in by a token: `name:role:token`, one after the other. A token is kept as its hash, and what a session is
// signed with comes from it, so that every process with the same list knows the sessions of the others.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { secretOfFile } from '../../../core/credential.ts';
import { WaybillError } from '../../../core/errors.ts';
import { ROLES } from '../../../core/role.ts';
import type { User } from '../app.ts';

export const TOKENS_VARIABLE = 'WAYBILL_DASHBOARD_TOKENS';
export const MIN_TOKEN_LENGTH = 16;
/** As `signInRequest` of the contract takes it. */
const MAX_TOKEN_LENGTH = 500;
const MAX_NAME_LENGTH = 100;

export interface TokenHolder extends User {
  /** Stands in the session; says nothing of the token. */
  id: string;
  /** Signs the sessions of this token, and no others: they end with it. */
  sessionKey: Buffer;
}

export interface TokenList {
  /** @returns undefined for a token that nobody holds */
  holderOf(token: string): TokenHolder | undefined;
  holder(id: string): TokenHolder | undefined;
}

/**
 * @returns undefined where neither WAYBILL_DASHBOARD_TOKENS nor WAYBILL_DASHBOARD_TOKENS_FILE is set
 * @throws WaybillError INVALID_CONFIG naming every entry that is wrong by its position, never its token
 */
export function readTokens(env: Record<string, string | undefined>): TokenList | undefined {
  const text = env[TOKENS_VARIABLE] ?? readFile(env[`${TOKENS_VARIABLE}_FILE`]);
  if (text === undefined) return undefined;
  const entries = text
    .split(/[,\r\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const wrong: string[] = [];
  const seen = new Set<string>();
  const holders = entries.flatMap((entry, i): (TokenHolder & { digest: Buffer })[] => {
    const [, name = '', role = '', token = ''] = /^([^:]*):([^:]*):(.*)$/s.exec(entry) ?? [];
    const fault = faultOf(name, role, token) ?? (seen.has(token) ? 'has the token of another' : undefined);
    if (fault !== undefined) {
      wrong.push(`entry ${i + 1} of ${TOKENS_VARIABLE} ${fault}`);
      return [];
    }
    seen.add(token);
    const id = hash('sha256', `waybill dashboard token ${token}`).slice(0, 16);
    const sessionKey = createHmac('sha256', token).update('waybill dashboard session').digest();
    return [{ name, role: role as User['role'], id, sessionKey, digest: digestOf(token) }];
  });
  if (entries.length === 0) wrong.push(`${TOKENS_VARIABLE} holds no entry; one is name:role:token`);
  if (wrong.length > 0) throw new WaybillError('INVALID_CONFIG', wrong.join('\n'));
  return {
    // All are compared, whichever it is.
    holderOf: (token) => {
      const presented = digestOf(token);
      return holders.filter(({ digest }) => timingSafeEqual(digest, presented)).at(0);
    },
    holder: (id) => holders.find((one) => one.id === id),
  };
}

function faultOf(name: string, role: string, token: string): string | undefined {
  if (!/^[^\p{C}:,]+$/u.test(name) || name.length > MAX_NAME_LENGTH || name !== name.trim())
    return `must begin with a name of 1 to ${MAX_NAME_LENGTH} characters: name:role:token`;
  if (!(ROLES as readonly string[]).includes(role))
    return `(${name}) must have a role of ${ROLES.join(', ')}: name:role:token`;
  if (!/^[\x21-\x7e]*$/.test(token)) return `(${name}) must have a token without spaces, in ASCII`;
  if (token.length < MIN_TOKEN_LENGTH || token.length > MAX_TOKEN_LENGTH)
    return `(${name}) must have a token of ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} characters, such as \`openssl rand -hex 24\` prints`;
  return undefined;
}

/** Of the same length whatever the token is. */
const digestOf = (token: string): Buffer => hash('sha256', token, 'buffer');

function readFile(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return secretOfFile(readFileSync(path, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new WaybillError('INVALID_CONFIG', `${TOKENS_VARIABLE}_FILE: cannot be read (${code})`);
  }
}
