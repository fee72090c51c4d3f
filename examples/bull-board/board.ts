// Bull Board over the writes and the dead letters of a destination, to look at only: retrying or removing a job there would
// go round Waybill's records.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Queue } from 'bullmq';
import fastify from 'fastify';

const queues = ['sms', 'sms.dead'].map(
  (name) =>
    new Queue(name, {
      prefix: '{waybill:sms}',
      connection: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
      skipMetasUpdate: true, // a queue that is looked at only writes nothing of its own either
    }),
);

const serverAdapter = new FastifyAdapter();
createBullBoard({
  queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false })),
  serverAdapter,
});

const app = fastify({ logger: true });
await app.register(serverAdapter.registerPlugin());
app.addHook('onClose', () => Promise.all(queues.map((queue) => queue.close())));
process.once('SIGTERM', () => void app.close());

// On loopback: the page shows what stands in the writes, and asks nobody who they are.
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3001) });
