// waybill what-if: the sentence, the table, and what it refuses.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createWorld, planned } from '../support/world.ts';
import { emptyFolder, runCli } from './run-cli.ts';

const retry = { maxAttempts: 3, baseMs: 20, capMs: 30_000, jitter: 0 };

test('what-if says what another policy would have saved, at how many calls, and by group', async () => {
  const world = await createWorld({ destination: { retry } });
  await world.startWorker();
  for (const plan of [['503', '503', '503'], ['ok']]) {
    const { data } = await world.queue.add('send', planned(...plan));
    await world.until(data.idempotencyKey, plan.length > 1 ? 'dead' : 'delivered');
  }
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify({ destinations: world.config.destinations }));
  const of = ['--destination', world.name];
  const [text, json, fewer, none] = await Promise.all([
    runCli(['what-if', '--max-attempts', '15', '--cap', '60s', ...of], { cwd }),
    runCli(['what-if', '--max-attempts', '15', '--cap', '60s', ...of, '-o', 'json'], { cwd }),
    runCli(['what-if', '--max-attempts', '2', ...of], { cwd }),
    runCli(['what-if', '--max-attempts', '15', ...of, '--dead-reason', 'rejected'], { cwd }),
  ]);
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(
    /^15 attempts and a 60 s cap would have saved 1 of this one exhausted dead letter, at \d+ more calls?\ndestination +code +exhausted +saved +unknown +calls\n\S+ +\S+ +1 +1 +0 +\+\d+\n$/,
  );
  expect(text.stderr).toContain('An attempt counts as a success when');
  expect(JSON.parse(json.stdout)).toMatchObject([{ examined: 1, eligible: 1, saved: 1, unknown: 0, more: false }]);
  expect(fewer.stdout).toMatch(/^2 attempts would have saved 0 of this one exhausted dead letter, at 1 fewer call\n/);
  expect(none.stdout).toMatch(/^no dead letter here has spent all of its attempts/);
});

test.each([
  [[], 'Give at least one of --max-attempts'],
  [['--cap', '2d'], 'a day at most'],
  [['--jitter', '1.5'], 'a number from 0 to 1'],
  [['--max-attempts', '8', '--reason', 'x'], '--dead-reason'],
])('what-if %j ends with 2 and says what is allowed', async (flags, said) => {
  expect(await runCli(['what-if', ...flags])).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});
