// A fastify app that answers once the write stands in the queue. It never waits for the API: a worker sends.
import fastify from 'fastify';
import { createQueue, WaybillError, type WaybillErrorCode } from 'waybill';

/** What a client is told when the queue refuses. After a 503 it may repeat its request: the key is the same again. */
const STATUS: Partial<Record<WaybillErrorCode, number>> = {
  INVALID_WRITE: 400,
  IDEMPOTENCY_CONFLICT: 409,
  QUEUE_UNAVAILABLE: 503,
  QUEUE_REFUSED: 503,
};

interface Order {
  Params: { id: string };
  Body: { phone_number: string };
  Headers: { 'idempotency-key'?: string };
}
const schema = {
  body: { type: 'object', required: ['phone_number'], properties: { phone_number: { type: 'string' } } },
};

const queue = createQueue('sms', { connection: process.env.REDIS_URL });
const app = fastify({ logger: true });

app.post<Order>('/orders/:id/opt-in', { schema }, async (request, reply) => {
  // The client's key, or one that is made out of the order: whoever asks twice for the same order gets one write.
  const idempotencyKey = request.headers['idempotency-key'] ?? `opt-in-${request.params.id}`;
  const job = await queue.add(
    'send',
    { method: 'POST', path: '/v1/subscriptions/opt-in', body: { phone_number: request.body.phone_number } },
    { idempotencyKey },
  );
  return reply.code(202).send({ idempotencyKey, duplicate: job.duplicate });
});

app.setErrorHandler((error, _request, reply) => {
  const status = error instanceof WaybillError ? STATUS[error.code] : undefined;
  if (!(error instanceof WaybillError) || status === undefined) throw error; // fastify's own answers
  return reply.code(status).send({ code: error.code });
});
app.addHook('onClose', () => queue.close());
process.once('SIGTERM', () => void app.close());

await app.listen({ port: Number(process.env.PORT ?? 3000) });
