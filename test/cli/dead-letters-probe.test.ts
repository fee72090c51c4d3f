// dead-letters probe, as an operator and a script give it.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { carryOut } from '../../cli/carry-out.ts';
import type { Io } from '../../cli/io.ts';
import { type LetterAct, probing as probingFor } from '../../cli/letter-acts.ts';
import type { Plan } from '../../cli/letter-plan.ts';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { discard } from '../../queue/operate.ts';
import type { Reader } from '../../queue/reader.ts';
import { eventually } from '../support/world.ts';
import { act, actsOf, graveyard, WHY } from './graveyard.ts';
import { documents, startCli } from './run-cli.ts';
import { redisUrl } from '../support/redis.ts';

test('without ids those in doubt are probed; each row tells what the answer said, and who and why stand in the audit', async () => {
  const { world, keys, letters } = await graveyard(
    ['reset-after', 'ok'],
    ['400'],
    ['reset-before', '422'],
    ['502-applied', '403'],
  );
  const [applied = '', , rejected = '', doubtful = ''] = letters;
  await world.startWorker();
  const done = await act('probe', world, '--all', '--yes', ...WHY, '-o', 'ndjson');
  const requestId = expect.stringMatching(/^req_/) as string;
  expect(documents(done.stdout)).toMatchObject([
    { letter: applied, status: 'probed', generation: 1, answer: { says: 'delivered', status: 201, requestId } },
    {
      letter: rejected,
      status: 'probed',
      answer: { says: 'not-applied', status: 422, letter: rejected.replace(/0$/, '1'), requestId },
    },
    {
      letter: doubtful,
      status: 'probed',
      answer: { says: 'in-doubt', status: 403, letter: doubtful.replace(/0$/, '1') },
    },
  ]);
  expect(done.code).toBe(1);
  expect(done.stderr).toMatch(/^probed 3\nanswers: delivered 1, not applied 1, still in doubt 1$/m);
  const probe = { act: 'probe', by: 'ann', reason: 'the API is well again', verdict: 'in-doubt' };
  expect(await actsOf(world)).toMatchObject([probe, probe, probe]);
  await assertAppliedOnce(world.sandbox, keys[0] ?? '');

  const audit = await act('audit', world);
  expect(audit.stdout).toMatch(/ probe +ann .* in-doubt .*\(generation 1\)$/m);
});

test('a dry run does nothing; what an answer cannot settle is refused with its reason, and ends with 1', async () => {
  const { world, letters } = await graveyard(['400'], ['reset-after']);
  const [rejected = '', doubtful = ''] = letters;
  const dry = await act('probe', world, '--all', '--dry-run', '-o', 'ndjson');
  expect(dry).toMatchObject({ code: 0, stderr: '1 dead letter would be probed, with one attempt under its own key\n' });
  expect(documents(dry.stdout)).toEqual([{ letter: doubtful, destination: world.name, status: 'would-probe' }]);
  expect(await actsOf(world)).toEqual([]);
  await discard(world.reader, world.name, doubtful, { by: 'ben', reason: 'not wanted' });
  const refused = await act('probe', world, rejected, doubtful, '--yes', ...WHY, '-o', 'ndjson');
  expect(refused.code).toBe(1);
  expect(documents(refused.stdout)).toMatchObject([
    { letter: rejected, status: 'refused', error: { code: 'REPLAY_REFUSED', field: 'NOT_IN_DOUBT' } },
    { letter: doubtful, status: 'handled', error: { code: 'LETTER_HANDLED' } },
  ]);
  expect(refused.stderr).toContain('1 would not (NOT_IN_DOUBT): ');
});

test('a probe that no worker answers in time says so, ends with 1, and is found later', async () => {
  const { world, keys, letters } = await graveyard(['reset-after', 'ok']);
  const waiting = await act('probe', world, '--all', '--yes', ...WHY, '--wait', '1s');
  expect(waiting).toMatchObject({ code: 1 });
  expect(waiting.stdout).toBe(`${letters[0]}  probed         ${world.name}  generation 1; no answer yet\n`);
  expect(waiting.stderr).toMatch(/^answers: none yet 1\nwaybill find JOB tells later /m);
  await world.startWorker();
  expect(await world.until(keys[0] ?? '', 'delivered')).toMatchObject({ verdict: 'applied-once' });
});

test('many are answered while others are sent; Ctrl-C ends the waiting, tells what was answered, and ends with 130', async () => {
  const busy = Array<string>(60).fill('in-progress');
  const plans = Array.from({ length: 12 }, (_, i) => ['302', ...(i === 11 ? busy : ['ok'])]);
  const { world } = await graveyard(...plans);
  await world.startWorker();
  const flags = ['dead-letters', 'probe', '--destination', world.name, '--all', '--yes', ...WHY, '-o', 'ndjson'];
  const cli = await startCli(flags, { env: { REDIS_URL: redisUrl() } });
  await eventually(() => expect(documents(cli.stdout())).toHaveLength(11), 25_000);
  cli.kill('SIGINT');
  const { code, stdout, stderr } = await cli.ended;
  expect(code).toBe(130);
  const answers = documents(stdout).map(({ answer }) => (answer as { says: string }).says);
  expect(answers.filter((says) => says === 'delivered')).toHaveLength(11);
  expect(stderr).not.toMatch(/Warning/);
  expect(stderr).toMatch(/^probed 12\nanswers: delivered 11, none yet 1$/m);
});

test('a Redis that goes while an answer is awaited leaves the probe told as done and waiting, and ends with its error', async () => {
  const lost = new Error('Connection is closed.');
  const probing: LetterAct = {
    ...probingFor(1000),
    perform: () => Promise.resolve({ jobId: 'w1', generation: 1 }),
    answered: () => Promise.reject(lost),
  };
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr, untilStopped: () => ({ asked: new AbortController().signal }) } as unknown as Io;
  const plan: Plan = {
    items: [{ letter: 'w1.g0', destination: 'sms' }],
    todo: 1,
    doubles: 0,
    sample: [],
    not: new Map(),
    advice: new Map(),
    more: false,
    before: Date.UTC(2026, 10, 22),
  };
  const ended = carryOut(io, { output: 'ndjson' }, plan, probing, { by: 'ann', reason: 'x' }, {} as Reader);
  await expect(ended).rejects.toBe(lost);
  for (const stream of [stdout, stderr]) stream.end();
  expect(documents(await text(stdout))).toMatchObject([{ status: 'probed', answer: { says: 'waiting' } }]);
  expect(await text(stderr)).toContain('what was probed and has died again would be probed once more');
});
