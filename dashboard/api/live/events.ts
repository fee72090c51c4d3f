// GET /api/events: server-sent events. A stream ends with the session that it belongs to, with the server, and when its
// reader is too slow; the browser then asks again.
import { finished, PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Access } from '../access/access.ts';
import { visitOf } from '../access/visit.ts';
import type { DashboardApp } from '../app.ts';
import { route } from '../app.ts';
import { ApiError } from '../errors.ts';
import type { Watcher } from './watcher.ts';

/** Of one process. */
const MAX_STREAMS = 200;
/** Of those, so that nobody keeps all the others out. */
export const MAX_STREAMS_OF_ONE = 20;
/** What a reader may leave lying. */
const MAX_BACKLOG_BYTES = 256 * 1024;
/** What a reader has, once the server stops, to take what is still on its way. */
const FAREWELL_MS = 1000;
/** What a browser waits before it asks again. */
const RETRY_MS = 2000;

interface Live {
  access: Access;
  watcher: Watcher;
  /** Shorter than what proxies wait for on a silent connection. */
  pingMs: number;
}

export function eventRoutes(app: DashboardApp, { access, watcher, pingMs }: Live): void {
  const open = new Map<FastifyReply['raw'], { stream: PassThrough; owner: string | undefined }>();
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const { stream } of open.values()) stream.end();
    // A reader that takes nothing takes no end either, and the server would wait for it.
    setTimeout(() => {
      for (const raw of open.keys()) raw.destroy();
    }, FAREWELL_MS).unref();
    await watcher.close();
  });

  route(
    app,
    'events',
    {
      contentTypes: ['text/event-stream'],
      summary:
        'server-sent events: `changed` says that something did, `away` that Redis does not answer, `ping` nothing',
    },
    ({ request, reply }) => {
      const owner = visitOf(request).user?.name;
      const own = [...open.values()].filter((other) => other.owner === owner).length;
      if (open.size >= MAX_STREAMS || own >= MAX_STREAMS_OF_ONE) {
        const words = own >= MAX_STREAMS_OF_ONE ? `${own} streams of yours` : `${open.size} streams`;
        throw new ApiError(503, 'TOO_MANY_STREAMS', `this process serves ${words} already`, {
          headers: { 'retry-after': '30' },
        });
      }
      const stream = new PassThrough();
      open.set(reply.raw, { stream, owner });
      const send = (text: string): void => {
        if (stream.writableLength > MAX_BACKLOG_BYTES) stream.destroy();
        else if (stream.writable) stream.write(text);
      };
      send(`retry: ${RETRY_MS}\n\n`);
      const silence = watcher.listen((told) =>
        send(told === 'away' ? 'event: away\ndata: {}\n\n' : `event: changed\ndata: ${JSON.stringify(told)}\n\n`),
      );
      const ping = setInterval(() => {
        send('event: ping\ndata: {}\n\n');
        // Whoever may not be here any more hears nothing more.
        access.visit(request).then(
          ({ user }) => user ?? stream.end(),
          () => stream.end(),
        );
      }, pingMs);
      stream.once('close', () => {
        clearInterval(ping);
        silence();
      });
      // Tells also of one that was gone before it was known.
      finished(reply.raw, () => {
        open.delete(reply.raw);
        stream.destroy();
      });
      // Let in before the server was told to stop, known only after.
      if (isClosing) stream.end();
      reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      // One that is kept for another request would keep a server that stops as well, until the client lets go of it.
      if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
      return stream;
    },
  );
}
