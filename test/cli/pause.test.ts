// waybill pause and resume, as a person types them.
import { expect, test } from 'vitest';
import { createWorld, planned } from '../support/world.ts';
import { documents, runCli } from './run-cli.ts';

test('pause and resume say what was done, and write down who and why', async () => {
  const world = await createWorld();
  await world.queue.add('send', planned());
  const as = { env: { WAYBILL_OPERATOR: 'ann' } };
  const paused = await runCli(['pause', world.name, '--reason', 'the API is being moved', '-o', 'json'], as);
  expect(paused).toMatchObject({ code: 0, stderr: expect.stringContaining(`${world.name} is paused: `) });
  expect(JSON.parse(paused.stdout)).toMatchObject([
    { destination: world.name, paused: true, changed: true, last: { act: 'pause', by: 'ann' } },
  ]);
  expect(await world.queue.isPaused()).toBe(true);

  const [again, resumed, audit] = [
    await runCli(['pause', world.name, '--reason', 'x', '--by', 'ben']),
    await runCli(['resume', world.name, '--reason', 'moved', '--by', 'ben']),
    await runCli(['dead-letters', 'audit', '--destination', world.name, '-o', 'ndjson']),
  ];
  expect(again).toMatchObject({ code: 0, stdout: '' });
  expect(again.stderr).toMatch(/ is paused already: ann paused it at \S+Z: the API is being moved\n$/);
  expect(resumed).toMatchObject({ code: 0, stderr: `${world.name} goes on\n` });
  expect(await world.queue.isPaused()).toBe(false);
  expect(documents(audit.stdout)).toMatchObject([
    { act: 'resume', by: 'ben', reason: 'moved' },
    { act: 'pause', by: 'ann', reason: 'the API is being moved' },
  ]);
});

test('pause asks for a reason, and for a destination that there is', async () => {
  expect(await runCli(['pause', 'sms'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason TEXT') });
  const unknown = await runCli(['pause', 'no-such-destination', '--reason', 'x', '--by', 'ann']);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') });
});
