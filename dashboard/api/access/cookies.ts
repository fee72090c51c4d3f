// The dashboard's cookies: for this path alone, read by no script, sent by no other site's page.
import type { FastifyReply, FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'waybill_session';
/** Where nobody signs in here, it is what a write's token is bound to. */
export const PAGE_COOKIE = 'waybill_page';

/** Every value under this name: a page of a neighbouring host may have set one more. */
export function cookies(request: FastifyRequest, name: string): string[] {
  return (request.headers.cookie ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
}

/** @param maxAgeS 0 takes the cookie away */
export function setCookie(
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { name, value, path, maxAgeS }: { name: string; value: string; path: string; maxAgeS: number },
): void {
  const secure = isHttps(request) ? '; Secure' : '';
  reply.header('set-cookie', `${name}=${value}; Path=${path}; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`);
}

/** A proxy that ends TLS may say nothing of it, but the browser names the origin that it sees. */
function isHttps({ protocol, headers }: FastifyRequest): boolean {
  return protocol === 'https' || headers.origin?.startsWith('https:') === true;
}
