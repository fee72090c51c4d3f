// The page: files that were built before, and one document for every view, which is told its base path.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import files from '@fastify/static';
import type { DashboardApp } from './app.ts';
import { ApiError, notFound } from './errors.ts';

/** In the package beside the built server, in a checkout where `npm run page` puts it. */
const PAGE = fileURLToPath(new URL('../page/', import.meta.url));
const BASE = '<base href="/" />';

export const PAGE_MISSING = 'the page is not built; `npm run page` builds it';
export const isPageBuilt = (): boolean => existsSync(join(PAGE, 'index.html'));

export async function servePage(app: DashboardApp): Promise<void> {
  if (isPageBuilt()) {
    const common = { decorateReply: false, index: false, preCompressed: true } as const;
    // Their names change with what is in them.
    await app.register(files, {
      ...common,
      root: join(PAGE, 'assets'),
      prefix: '/assets/',
      maxAge: '365d',
      immutable: true,
    });
    await app.register(files, {
      ...common,
      root: PAGE,
      prefix: '/',
      wildcard: false,
      globIgnore: ['assets/**', '*.html*'],
    });
  }
  app.all('/api/*', { schema: { hide: true } }, async () => {
    throw notFound('the API has no such route; openapi.json lists them all');
  });
  // A view's address is the page's own business.
  for (const url of ['/', '/*']) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) => {
      reply.type('text/html; charset=utf-8');
      return document(app.prefix);
    });
  }
}

/** Read each time: it is small, and in a checkout it may have been built anew. */
async function document(base: string): Promise<string> {
  const text = await readFile(join(PAGE, 'index.html'), 'utf8').catch(() => undefined);
  if (text === undefined) throw new ApiError(404, 'PAGE_NOT_BUILT', PAGE_MISSING);
  return text.replace(BASE, `<base href="${base}/" />`);
}
