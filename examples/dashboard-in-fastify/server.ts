// The dashboard inside of an application that knows its own people: below /ops/waybill, for those of the staff.
import cookie from '@fastify/cookie';
import Fastify, { type FastifyRequest } from 'fastify';
import { createDashboard, defineConfig, type User } from 'waybill/dashboard';

/** In your application: whoever may be there, by your own sign-in. */
const STAFF: Record<string, User> = {
  vera: { name: 'vera@example.com', role: 'viewer' },
  otto: { name: 'otto@example.com', role: 'operator' },
};

const destination = 'sms';
/** Better still: the file that the workers read. */
const config = defineConfig({
  redis: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
  destinations: {
    // What the people of the dashboard do not see.
    [destination]: { baseUrl: 'https://api.example.com', redact: { body: ['/phone_number'] } },
  },
  dashboard: { environment: 'development' },
});

const app = Fastify({ logger: true });
await app.register(cookie, { secret: process.env.COOKIE_SECRET ?? crypto.randomUUID() });

/** Asked at each request; undefined for somebody who may not be there. */
const resolveUser = (request: FastifyRequest): User | undefined => {
  const { valid, value } = request.unsignCookie(request.cookies.staff ?? '');
  return valid ? STAFF[value] : undefined;
};
await app.register(createDashboard(config, { base: '/ops/waybill', resolveUser }));

// In the place of a real sign-in: it asks for no password.
app.get<{ Params: { name: string } }>('/sign-in/:name', async ({ params: { name } }, reply) => {
  if (!Object.hasOwn(STAFF, name)) return reply.code(401).send({ error: `nobody is called ${name}` });
  reply.setCookie('staff', name, { path: '/', httpOnly: true, sameSite: 'lax', signed: true });
  return reply.redirect('/ops/waybill/');
});

process.once('SIGTERM', () => void app.close());
await app.listen({ port: Number(process.env.PORT ?? 3000) });
