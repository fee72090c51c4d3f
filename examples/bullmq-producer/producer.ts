// A producer that knows BullMQ alone: the prefix and the shape of the payload are all it shares with Waybill's workers.
import { Queue } from 'bullmq';

const queue = new Queue('sms', {
  prefix: '{waybill:sms}',
  connection: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
});

// Attempts, back-off and retention are the worker's, and so is the key: it is made out of this job, and stays.
const job = await queue.add('send', {
  method: 'POST',
  path: '/v1/subscriptions/opt-in',
  body: { phone_number: '+4512345678' },
});
console.log(`added as job ${job.id}`);
await queue.close();
