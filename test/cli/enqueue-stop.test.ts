// waybill enqueue that is stopped half way: what was added is told, and how to go on.
import { expect, onTestFinished, test } from 'vitest';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';
import { startCli } from './run-cli.ts';

const line = (more: object): string => `${JSON.stringify({ method: 'POST', path: '/v1/x', ...more })}\n`;

test.each([
  [
    'every line has its key',
    { idempotencyKey: 'b' },
    'Feeding all lines again is safe: what was added is a duplicate then.',
  ],
  [
    'a line has no key',
    {},
    'Go on after line 2: 1 of the writes that were added had no idempotencyKey, and feeding them again would add them again.',
  ],
])('Ctrl-C while %s: the array is closed, half a line is no line, and it says how to go on', async (_, more, told) => {
  const name = freshDestination();
  onTestFinished(() => cleanUp([name]));
  const input = line({ idempotencyKey: 'a' }) + line(more) + '{"method":"POST","pa';
  const env = { REDIS_URL: redisUrl() };
  const cli = await startCli(['enqueue', name, '-o', 'json'], { env, input, keepOpen: true });
  await eventually(() => expect(cli.stdout().match(/"queued"/g)).toHaveLength(2));
  cli.kill('SIGINT');
  const { code, stdout, stderr } = await cli.ended;
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject([{ line: 1 }, { line: 2 }]);
  expect(stderr).toBe(`${name}: 2 queued\nwaybill: STOPPED: SIGINT after line 2. ${told}\n`);
});
