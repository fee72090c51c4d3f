// Standard output on a full disk: what was to be done is done, and that its answers are lost is told.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { createWorld, planned } from '../support/world.ts';
import { emptyFolder, MAIN } from './run-cli.ts';

const LOST = 'waybill: FAILED: standard output cannot be written (ENOSPC): answers are lost\n';
const lines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `{"method":"POST","path":"/v1/x","idempotencyKey":"k${i}"}\n`).join('');

async function intoFull(args: readonly string[], input = '') {
  const run = spawn('sh', ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, MAIN, ...args], {
    cwd: await emptyFolder(),
    env: { ...process.env, REDIS_URL: redisUrl() },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let stderr = '';
  run.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  run.stdin.end(input);
  const [code] = (await once(run, 'close')) as [number];
  return { code, stderr };
}

test.skipIf(!existsSync('/dev/full'))('every write is added, and enqueue ends with 1', async () => {
  const name = freshDestination();
  onTestFinished(() => cleanUp([name]));
  expect(await intoFull(['enqueue', name], lines(250))).toEqual({ code: 1, stderr: `${name}: 250 queued\n${LOST}` });
  expect(await intoFull(['enqueue', name, '--path', '/v1/x'])).toEqual({ code: 1, stderr: LOST });
});

test.skipIf(!existsSync('/dev/full'))('a letter is put aside, and discard ends with 1', async () => {
  const world = await createWorld();
  await world.startWorker();
  const { data } = await world.queue.add('send', planned('400'));
  const { letter } = await world.until(data.idempotencyKey, 'dead');
  const { code, stderr } = await intoFull(['dead-letters', 'discard', letter?.id ?? '', '--reason', 'a test', '--yes']);
  expect(code).toBe(1);
  expect(stderr).toContain('discarded 1');
  expect(stderr.endsWith(LOST)).toBe(true);
  await world.until(data.idempotencyKey, 'discarded');
});
