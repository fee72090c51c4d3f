// dead-letters probe, as an operator and a script give it.
import { closeSync, openSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { answerWithinMs } from '../../cli/dead-letters-act.ts';
import { durationUpTo, noneOr } from '../../cli/flag-values.ts';
import { carryOut } from '../../cli/carry-out.ts';
import type { Io } from '../../cli/io.ts';
import { type LetterAct, probing as probingFor } from '../../cli/letter-acts.ts';
import type { Plan } from '../../cli/letter-plan.ts';
import { watchUnserved } from '../../cli/unserved.ts';
import { assertAppliedOnce } from '../../dev/testing.ts';
import { discard } from '../../queue/operate.ts';
import { pauseDestination, resumeDestination } from '../../queue/pause.ts';
import type { ProbeAnswer } from '../../queue/probe.ts';
import { Reader } from '../../queue/reader.ts';
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
  const job = letters[0]?.replace(/\.g0$/, '');
  expect(waiting.stdout).toBe(
    `${letters[0]}  probed         ${world.name}  generation 1; no answer yet: waybill find ${job}\n`,
  );
  expect(waiting.stderr).toMatch(/^answers: none yet 1\nwaybill find JOB tells later /m);
  expect(waiting.stderr).toContain(`${world.name}: no worker serves it: a probe waits until one does\n`);
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

test('of a destination that is held it is said before; --wait 0 looks once', async () => {
  const { world, keys } = await graveyard(['reset-after', 'ok']);
  await world.startWorker();
  await pauseDestination(world.reader, world.name, { by: 'ann', reason: 'x' });
  const asked = await act('probe', world, '--all', '--yes', ...WHY, '--wait', '0', '-o', 'ndjson');
  expect(asked.code).toBe(1);
  expect(documents(asked.stdout)).toMatchObject([{ status: 'probed', answer: { says: 'waiting' } }]);
  expect(asked.stderr).toContain(`${world.name}: it is paused: a probe waits for \`waybill resume ${world.name}\`\n`);
  await resumeDestination(world.reader, world.name, { by: 'ann', reason: 'x' });
  await world.until(keys[0] ?? '', 'delivered');
});

test('a worker that stops, or a pause, while an answer is awaited is told before the counts', async () => {
  const { world } = await graveyard(['302', ...Array<string>(60).fill('in-progress')]);
  const worker = await world.startWorker();
  const flags = ['dead-letters', 'probe', '--destination', world.name, '--all', '--yes', ...WHY];
  const cli = await startCli(flags, { env: { REDIS_URL: redisUrl() } });
  await eventually(async () => expect(await actsOf(world)).toHaveLength(1), 15_000);
  expect(cli.stderr()).not.toContain('a probe waits');
  await worker.stop(AbortSignal.timeout(2000));
  const unserved = `${world.name}: no worker serves it: a probe waits until one does\n`;
  await cli.says(unserved);
  await pauseDestination(world.reader, world.name, { by: 'ben', reason: 'x' });
  const paused = `${world.name}: it is paused: a probe waits for \`waybill resume ${world.name}\`\n`;
  await cli.says(paused);
  cli.kill('SIGINT');
  const { code, stderr } = await cli.ended;
  expect(code).toBe(130);
  expect(stderr.indexOf('answers: none yet 1')).toBeGreaterThan(stderr.indexOf(paused));
});

test('each line of who serves them is said once; a look that fails is silent, and one that is late says nothing', async () => {
  const { world } = await graveyard();
  const said: string[] = [];
  let asked = 0;
  const watch = (reader: Reader) => {
    const awaited = () => (asked++, [world.name]);
    return watchUnserved(reader, { awaited, told: new Set(), tell: (line) => said.push(line), everyMs: 10 });
  };
  const again = async (looks: number) => {
    const before = asked;
    await eventually(() => expect(asked).toBeGreaterThan(before + looks));
  };
  const line = `${world.name}: no worker serves it: a probe waits until one does`;
  const ends = watch(world.reader);
  await again(3);
  ends();
  expect(said).toEqual([line]);
  const gone = await Reader.open(redisUrl());
  await gone.close();
  const fails = watch(gone);
  await again(3);
  fails();
  const paused = Promise.withResolvers<boolean>();
  const late = watch({ queue: () => ({ isPaused: () => paused.promise }) } as unknown as Reader);
  await again(0);
  late();
  paused.resolve(true);
  await sleep(50);
  expect(said).toEqual([line]);
});

test.each([
  ['0', 0],
  ['0s', 0],
  ['90s', 90_000],
])('--wait %s is %d ms', (span, ms) => expect(noneOr(durationUpTo(3_600_000, 'an hour'))(span)).toBe(ms));

test('an answer is waited for as long as an attempt of its destination may take, and a minute at least', () => {
  expect(answerWithinMs(undefined)).toBe(60_000);
  expect(answerWithinMs({ timeoutMs: 15_000 })).toBe(60_000);
  expect(answerWithinMs({ timeoutMs: 600_000 })).toBe(630_000);
});

/** `count` probes that are answered by `says`, told to a person's terminal. */
function carriedOut(count: number, more: Partial<LetterAct>) {
  const plan: Plan = {
    items: Array.from({ length: count }, (_, i) => ({ letter: `w${i}.g0`, destination: 'sms' })),
    todo: count,
    doubles: 0,
    sample: [],
    not: new Map(),
    advice: new Map(),
    more: false,
    before: Date.UTC(2026, 10, 22),
  };
  const fd = openSync('/dev/null', 'w');
  onTestFinished(() => closeSync(fd));
  const stdout = Object.assign(new PassThrough().resume(), { fd });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  let said = '';
  stderr.setEncoding('utf8').on('data', (drawn: string) => (said += drawn));
  const io = { env: {}, stdout, stderr, untilStopped: () => ({ asked: new AbortController().signal }) };
  let performed = 0;
  const probing: LetterAct = {
    ...probingFor(1000),
    perform: () => Promise.resolve({ jobId: `w${performed++}`, generation: 1 }),
    ...more,
  };
  const operator = { by: 'ann', reason: 'x' };
  const ended = carryOut(io as unknown as Io, { output: 'ndjson' }, plan, probing, operator, {} as Reader);
  return { ended, said: () => said, performed: () => performed };
}

test('where a hundred were sent and nobody answers, the rest is not tried', async () => {
  const waiting = (): Promise<ProbeAnswer> => sleep(50, { says: 'waiting' });
  const run = carriedOut(250, { answered: waiting });
  expect(await run.ended).toBe(1);
  expect(run.performed()).toBe(100);
  expect(run.said()).toContain('probed 100, not tried 150\nanswers: none yet 100\n');
  expect(run.said()).toContain(
    'waybill: STOPPED: the first probes got no answer in time (`waybill status` tells why). ',
  );
  const patient = carriedOut(150, { answered: waiting, isPatient: false });
  expect(await patient.ended).toBe(1);
  expect(patient.performed()).toBe(150);
  let answers = 0;
  const answered = carriedOut(150, {
    answered: () => (answers++ === 50 ? Promise.resolve({ says: 'delivered' }) : waiting()),
  });
  expect(await answered.ended).toBe(1);
  expect(answered.performed()).toBe(150);
});

test('while answers are awaited, how many is told', async () => {
  const answer = Promise.withResolvers<ProbeAnswer>();
  let asked = 0;
  const run = carriedOut(3, {
    answered: () => (asked++ === 0 ? Promise.resolve({ says: 'delivered' }) : answer.promise),
  });
  await eventually(() => expect(run.said()).toMatch(/ 33 % {2}3 of 3, waiting for 2 answers/));
  answer.resolve({ says: 'delivered' });
  expect(await run.ended).toBe(0);
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
