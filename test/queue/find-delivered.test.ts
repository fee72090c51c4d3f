// A delivered write by its request_id, where other delivered writes hold the same text.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { findDelivered } from '../../queue/find-delivered.ts';
import { createWorld, planned, type World } from '../support/world.ts';

/** An API that gives these request_ids, one after the other. @returns the keys of writes that were delivered in turn */
async function deliver(requestIds: readonly string[], name?: string): Promise<{ world: World; keys: string[] }> {
  let next = 0;
  const api = createServer((request, response) => {
    request.resume();
    response.writeHead(201, { 'x-request-id': requestIds[next++] }).end();
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  onTestFinished(() => {
    api.closeAllConnections();
    api.close();
  });
  const world = await createWorld({ baseUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}` });
  await world.startWorker({}, name === undefined ? {} : { name });
  const keys: string[] = [];
  for (const _ of requestIds) {
    const { data } = await world.queue.add('send', planned());
    await world.until(data.idempotencyKey, 'delivered');
    keys.push(data.idempotencyKey);
  }
  return { world, keys };
}

const keysFound = async ({ reader, name }: World, requestId: string): Promise<(string | undefined)[]> => {
  const { found } = await findDelivered(reader, requestId, { destination: name });
  return found.map(({ idempotencyKey }) => idempotencyKey);
};

test('a newer write that holds the text elsewhere, as its worker’s name, hides none', async () => {
  const { world, keys } = await deliver(['req-1', 'req-2', 'req-3'], 'req-1');
  expect(await keysFound(world, 'req-1')).toEqual([keys[0]]);
});

test('every write of the page that was answered under it is found, the newest first', async () => {
  const { world, keys } = await deliver(['req-1', 'req-2', 'req-1']);
  expect(await keysFound(world, 'req-1')).toEqual([keys[2], keys[0]]);
  expect(await keysFound(world, 'req-9')).toEqual([]);
});
