// The session: stateless, signed with the key of the token that it was opened by. `<holder>.<expires>.<nonce>.<signature>`,
// so that any process with the same tokens can check it, and a token that is gone takes its sessions with it.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenHolder, TokenList } from './token-list.ts';

export interface OpenSession {
  holder: TokenHolder;
  /** As it stands in the cookie. */
  value: string;
  /** Epoch ms. */
  expiresAt: number;
}

const FORM = /^([0-9a-f]{16})\.(\d{1,15})\.([\w-]{22})\.([\w-]{43})$/;

export function openSession(holder: TokenHolder, now: number, sessionMs: number): OpenSession {
  const expiresAt = now + sessionMs;
  const signed = `${holder.id}.${expiresAt}.${randomBytes(16).toString('base64url')}`;
  return { holder, value: `${signed}.${sign(holder.sessionKey, signed)}`, expiresAt };
}

/** @returns undefined for a session that is forged, has expired, or whose token is gone */
export function readSession(tokens: TokenList, value: string, now: number): OpenSession | undefined {
  const [, id = '', expires = '', nonce = '', signature = ''] = FORM.exec(value) ?? [];
  const holder = tokens.holder(id);
  const expiresAt = Number(expires);
  if (!holder || !same(sign(holder.sessionKey, `${id}.${expires}.${nonce}`), signature) || expiresAt <= now)
    return undefined;
  return { holder, value, expiresAt };
}

/** What a write of this session sends back: another page cannot read it. */
export const csrfOf = ({ holder, value }: OpenSession): string => sign(holder.sessionKey, `csrf ${value}`);

/** In constant time. */
export function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

const sign = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('base64url');
