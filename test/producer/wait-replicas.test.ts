// Adds that are answered only once replicas have them: a primary and its replica, real ones.
import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type BulkItem, createQueue, type QueueOptions, type WriteQueue } from '../../producer/index.ts';
import { prefixOf } from '../../queue/keys.ts';
import { documents, runCli, startCli } from '../cli/run-cli.ts';
import { watchCommands } from '../support/monitor.ts';
import { type Replica, type Replicated, startReplicated } from '../support/redis-replicas.ts';
import { freshDestination } from '../support/redis.ts';
import { eventually, planned } from '../support/world.ts';

/** Long for a replica that is there, on a busy machine. */
const PATIENT = { count: 1, timeoutMs: 10_000 };
const BRIEF = { count: 1, timeoutMs: 200 };
/** What is promised when Redis answers, and the primary does: 2 s, and twice the wait; and a margin. */
const LIMIT_MS = 5000;

let servers: Replicated;
let replica: Replica;
beforeAll(async () => {
  servers = await startReplicated();
  replica = servers.replicas[0]!;
});
afterAll(() => servers.stop());

function queueThat(waitForReplicas: QueueOptions['waitForReplicas'], name = freshDestination()): WriteQueue {
  const connection = servers.primary.url;
  const queue = createQueue(name, { connection, ...(waitForReplicas && { waitForReplicas }) });
  onTestFinished(() => queue.close());
  return queue;
}

const items = (count: number): BulkItem[] => Array.from({ length: count }, () => ({ name: 'send', data: planned() }));

function haltReplica(): void {
  replica.halt();
  onTestFinished(() => replica.resume());
}

async function admin(): Promise<Redis> {
  const client = new Redis(servers.primary.url);
  onTestFinished(() => client.disconnect());
  return client;
}

async function primaryWait(url: string): Promise<number> {
  const client = new Redis(url);
  await client.incr('waybill:wait');
  const replicas = await client.wait(1, 5000);
  client.disconnect();
  return replicas;
}

/** Those that one queue sends, in their order. */
async function watched(): Promise<{ commands: string[]; until: (last: string) => Promise<void> }> {
  const commands: string[] = [];
  await watchCommands(servers.primary.url, (command) => commands.push(command));
  const marker = await admin();
  return {
    commands,
    until: async (last) => {
      await marker.echo(last);
      await eventually(() => expect(commands).toContain('echo'));
    },
  };
}

test('an add is answered when the replica has the write; the same add again is a duplicate', async () => {
  const queue = queueThat(PATIENT);
  for (let i = 0; i < 20; i += 1) {
    const job = await queue.add('send', planned(), i % 2 ? { delay: 60_000, priority: 3 } : {});
    expect(await replica.client.exists(`${prefixOf(queue.name)}:${queue.name}:${job.id}`)).toBe(1);
    expect(await queue.add('send', planned(), { idempotencyKey: job.data.idempotencyKey })).toMatchObject({
      duplicate: true,
    });
  }
});

test('while the replica hangs an add answers NOT_REPLICATED in time, also a duplicate of another producer; once it goes on, the same key is a duplicate', async () => {
  const queue = queueThat(BRIEF);
  await queue.add('send', planned());
  haltReplica();
  const startedAt = performance.now();
  await expect(queue.add('send', planned(), { idempotencyKey: 'k' })).rejects.toMatchObject({
    code: 'NOT_REPLICATED',
    message: expect.stringMatching(
      /^The write "k" is stored at the primary .* 0 of the 1 replica\(s\) asked for had it within 200 ms\. .* add it again with the same idempotencyKey/,
    ) as string,
  });
  // A connection that has written nothing: WAIT alone would not wait for anything.
  const other = queueThat(BRIEF, queue.name);
  await expect(other.add('send', planned(), { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'NOT_REPLICATED' });
  expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS);
  await expect(other.add('send', planned('422'), { idempotencyKey: 'k' })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
  replica.resume();
  await eventually(async () =>
    expect(await other.add('send', planned(), { idempotencyKey: 'k' })).toMatchObject({ duplicate: true }),
  );
  expect(await queue.getWaitingCount()).toBe(2);
});

test('many adds at once share the wait for a replica that hangs, and each is answered in time', async () => {
  const queue = queueThat(BRIEF);
  await queue.add('send', planned());
  haltReplica();
  const startedAt = performance.now();
  const codes = await Promise.all(
    Array.from({ length: 300 }, () => queue.add('send', planned()).catch(({ code }: { code: string }) => code)),
  );
  expect(new Set(codes)).toEqual(new Set(['NOT_REPLICATED']));
  expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS);
});

test('with fewer replicas than asked for an add answers NOT_REPLICATED, and says how many have it', async () =>
  expect(queueThat({ count: 2, timeoutMs: 500 }).add('send', planned())).rejects.toMatchObject({
    code: 'NOT_REPLICATED',
    message: expect.stringContaining('1 of the 2 replica(s) asked for had it within 500 ms') as string,
  }));

test('addBulk waits once for all of a slice, and every item is answered', async () => {
  const queue = queueThat(PATIENT);
  const { commands, until } = await watched();
  const answers = await queue.addBulk(items(150));
  await until('end');
  expect(answers.every(({ status }) => status === 'queued')).toBe(true);
  expect(commands.filter((command) => command === 'wait').length).toBeLessThanOrEqual(2);
});

test('addBulk with a replica that hangs: the first slice is told so, the rest is not tried, and each error names its own key', async () => {
  const queue = queueThat(BRIEF);
  haltReplica();
  const given = items(500).map((item, i) => ({ ...item, opts: { idempotencyKey: `k${i}` } }));
  const answers = await queue.addBulk(given);
  const told = answers.map((answer) => ('error' in answer ? answer.error.code : answer.status));
  expect(told.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => 'NOT_REPLICATED'));
  expect(told.slice(200)).toEqual(Array.from({ length: 300 }, () => 'QUEUE_UNAVAILABLE'));
  for (const i of [3, 499]) {
    const answer = answers[i];
    expect(answer).toMatchObject({ status: 'unavailable' });
    expect(answer && 'error' in answer && answer.error.message).toContain(`"k${i}"`);
  }
  expect(answers[499]).toMatchObject({
    error: {
      message: expect.stringMatching(
        /^The write "k499" was not sent .* nothing was stored: .* replicas .* again with the same idempotencyKey\.$/,
      ) as string,
    },
  });
  expect(await queue.getWaitingCount()).toBe(200);
});

test('Redis away: an add that would wait for replicas is answered as soon as any other, and the rest of a bulk is told as not stored', async () => {
  const waitForReplicas = { count: 1, timeoutMs: 20_000 };
  const queue = createQueue(freshDestination(), { connection: 'redis://127.0.0.1:1', waitForReplicas });
  onTestFinished(() => queue.close());
  const [single, answers] = await Promise.all([
    queue.add('send', planned()).catch((error: unknown) => error),
    queue.addBulk(items(201)),
  ]);
  const unanswered = {
    code: 'QUEUE_UNAVAILABLE',
    message: expect.stringContaining('no answer within 1900 ms') as string,
  };
  expect(single).toMatchObject(unanswered);
  expect(answers[0]).toMatchObject({ error: unanswered });
  expect(answers[200]).toMatchObject({
    status: 'unavailable',
    error: {
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringContaining('nothing was stored: Redis did not') as string,
    },
  });
});

test('very many adds at once go in batches of a thousand, each with its own wait', async () => {
  const queue = queueThat(PATIENT);
  await queue.add('send', planned());
  const { commands, until } = await watched();
  await Promise.all(items(2500).map(({ data }) => queue.add('send', data)));
  await until('end');
  const sizes = commands
    .filter((command) => command === 'evalsha' || command === 'wait')
    .join(' ')
    .split('wait')
    .map((batch) => batch.split('evalsha').length - 1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
  expect(await queue.getWaitingCount()).toBe(2501);
});

test('without the option not one command more is sent; with it three go together, and nothing else', async () => {
  const off = queueThat(undefined);
  const on = queueThat(PATIENT);
  for (const queue of [off, on]) for (let i = 0; i < 2; i += 1) await queue.add('send', planned());
  const { commands, until } = await watched();
  await off.add('send', planned());
  await off.addBulk(items(2));
  await on.add('send', planned());
  await until('end');
  const evals = ['evalsha', 'evalsha', 'evalsha', 'evalsha', 'incr', 'wait', 'echo'];
  const mine = commands.filter((command) => evals.includes(command) || command === 'eval');
  expect(mine.map((command) => command.replace(/^eval$/, 'evalsha'))).toEqual(evals);
});

test('a primary that is parted from its replica dies: what was answered without waiting is lost with it, and nothing that was waited for', async () => {
  const parts = await startReplicated();
  onTestFinished(() => parts.stop());
  const { primary, replicas, link } = parts;
  const [heir] = replicas;
  const queueWith = (more: QueueOptions): WriteQueue => {
    const queue = createQueue(freshDestination(), { connection: primary.url, ...more });
    onTestFinished(() => queue.close());
    return queue;
  };
  const queues = { off: queueWith({}), on: queueWith({ waitForReplicas: { count: 1, timeoutMs: 500 } }) };
  const add = async (queue: WriteQueue): Promise<string> => {
    const { id } = await queue.add('send', planned());
    return `${prefixOf(queue.name)}:${queue.name}:${id}`;
  };
  const before = [await add(queues.off), await add(queues.on)];
  expect(await primaryWait(primary.url)).toBe(1);
  link.pauseReplies();
  const parted = await Promise.all(Array.from({ length: 10 }, () => add(queues.off)));
  const told = await Promise.allSettled(Array.from({ length: 10 }, () => add(queues.on)));
  expect(told.map(({ status }) => status)).toEqual(told.map(() => 'rejected'));
  primary.kill();
  link.killSockets();
  await heir?.client.replicaof('NO', 'ONE');
  expect(await heir?.client.exists(...before)).toBe(2);
  expect(await heir?.client.exists(...parted)).toBe(0);
});

test('a script that Redis has forgotten is loaded, and the wait stands behind it all the same', async () => {
  const queue = queueThat(PATIENT);
  await queue.add('send', planned());
  await (await admin()).script('FLUSH');
  const { commands, until } = await watched();
  expect(await queue.add('send', planned())).toMatchObject({ duplicate: false });
  await until('end');
  const loaded = commands.lastIndexOf('eval');
  expect(loaded).toBeGreaterThan(-1);
  expect(commands.slice(loaded).filter((command) => ['incr', 'wait'].includes(command))).toEqual(['incr', 'wait']);
});

test('a script that Redis has forgotten while the replica hangs: the second wait has a time of its own, and the message names that', async () => {
  const queue = queueThat(BRIEF);
  await queue.add('send', planned());
  haltReplica();
  await (await admin()).script('FLUSH');
  await expect(queue.add('send', planned())).rejects.toMatchObject({
    code: 'NOT_REPLICATED',
    message: expect.stringContaining('0 of the 1 replica(s) asked for had it within 100 ms') as string,
  });
});

test('a client of the caller waits too', async () => {
  const client = await admin();
  const queue = createQueue(freshDestination(), { connection: client, waitForReplicas: { count: 1 } });
  onTestFinished(() => queue.close());
  expect(await queue.add('send', planned())).toMatchObject({ duplicate: false });
});

test('a user that may not WAIT is told so: with the rules of docs/redis.md and +wait it does', async () => {
  const page = await readFile(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const rules = /^ACL SETUSER waybill-producer (.*)$/m.exec(page)?.[1]?.split(' ') ?? [];
  const client = await admin();
  const password = 'password-of-the-role';
  await client.acl('SETUSER', 'producer', ...rules.map((rule) => rule.replace('PASSWORD', password)));
  const url = servers.primary.url.replace('redis://', 'redis://producer@');
  const queue = createQueue(freshDestination(), { connection: { url, password, waitForReplicas: { count: 1 } } });
  onTestFinished(() => queue.close());
  await expect(queue.add('send', planned())).rejects.toMatchObject({
    code: 'NOT_REPLICATED',
    message: expect.stringMatching(
      /is stored .* \(NOPERM .*changes nothing until .* \+wait, beside the other rules of docs\/redis\.md/,
    ) as string,
  });
  expect(page).toContain('`+wait`');
  await client.acl('SETUSER', 'producer', '+wait');
  expect(await queue.add('send', planned())).toMatchObject({ duplicate: false });
});

test('the command line takes it from the environment: enqueue ends with 3, doctor tells that there are too few replicas', async () => {
  const env = { REDIS_URL: servers.primary.url, REDIS_WAIT_REPLICAS: '2', REDIS_WAIT_TIMEOUT_MS: '200' };
  const input = '{"method":"POST","path":"/v1/profiles","body":{}}\n';
  const added = await runCli(['enqueue', freshDestination(), '-o', 'ndjson'], { env, input });
  expect(added.code).toBe(3);
  expect(documents(added.stdout)).toMatchObject([{ status: 'unavailable', error: { code: 'NOT_REPLICATED' } }]);
  const told = await runCli(['doctor', '-o', 'ndjson'], { env });
  expect(documents(told.stdout)).toContainEqual(
    expect.objectContaining({
      check: 'replication',
      level: 'problem',
      found: expect.stringContaining('1 replica(s) that follow it; producers wait for 2') as string,
    }),
  );
  const enough = await runCli(['doctor', '-o', 'ndjson'], { env: { ...env, REDIS_WAIT_REPLICAS: '1' } });
  expect(documents(enough.stdout)).toContainEqual(expect.objectContaining({ check: 'replication', level: 'ok' }));
});

/** Too few replicas, and little time for them. */
const tooFew = (): Record<string, string> => ({
  REDIS_URL: servers.primary.url,
  REDIS_WAIT_REPLICAS: '2',
  REDIS_WAIT_TIMEOUT_MS: '10',
});
const line = (more: object = {}): string => `${JSON.stringify({ method: 'POST', path: '/v1/profiles', ...more })}\n`;
const TWICE =
  '2 of the writes that were added, or may have been, had no idempotencyKey, and feeding them again would add them again. Feed the lines that were answered unavailable again with the idempotencyKey of their answers.';

test('enqueue says at its end that lines without a key are stored, though no replica has them', async () => {
  const name = freshDestination();
  const { code, stderr } = await runCli(['enqueue', name], {
    env: tooFew(),
    input: line() + line() + line({ idempotencyKey: 'k' }),
  });
  expect(code).toBe(3);
  expect(stderr).toBe(
    `${name}: 3 unavailable (3 stored, not replicated)\nwaybill: Do not feed all lines again: ${TWICE}\n`,
  );
});

test('enqueue with a key in every line says that all may be fed again', async () => {
  const name = freshDestination();
  const { stderr } = await runCli(['enqueue', name], { env: tooFew(), input: line({ idempotencyKey: 'k' }) });
  expect(stderr).toBe(
    `${name}: 1 unavailable (1 stored, not replicated)\nwaybill: Feeding all lines again is safe: what was added is a duplicate then.\n`,
  );
});

test('enqueue that is stopped says it too', async () => {
  const name = freshDestination();
  const cli = await startCli(['enqueue', name], { env: tooFew(), input: line() + line(), keepOpen: true });
  await eventually(() => expect(cli.stdout().match(/NOT_REPLICATED/g)).toHaveLength(2));
  cli.kill('SIGINT');
  const { code, stderr } = await cli.ended;
  expect(code).toBe(130);
  expect(stderr).toBe(
    `${name}: 2 unavailable (2 stored, not replicated)\nwaybill: STOPPED: SIGINT after line 2. Go on after line 2: ${TWICE}\n`,
  );
});

test('enqueue leaves the rest untried when replicas are missing, and says that nothing of it was stored', async () => {
  const input = Array.from({ length: 350 }, () => line()).join('');
  const { stdout, stderr } = await runCli(['enqueue', freshDestination()], { env: tooFew(), input });
  const told = documents(stdout).map(({ error }) => error as { code: string; message: string });
  expect(told.filter(({ code }) => code === 'NOT_REPLICATED')).toHaveLength(300);
  expect(told[349]).toEqual({
    code: 'QUEUE_UNAVAILABLE',
    message:
      'not tried, and nothing was stored: too few replicas had the lines before. Add it again with the same idempotencyKey.',
  });
  expect(stderr).toContain(': 350 unavailable (300 stored, not replicated)\n');
  expect(stderr).toContain('all lines again: 300 of the writes');
});

test.each([
  [{ count: 0 }, 'waitForReplicas.count'],
  [{ count: 1, timeoutMs: 0 }, 'waitForReplicas.timeoutMs'],
  [{ count: 1, timeout: 5 }, 'timeout'],
])('the option %j is refused', (waitForReplicas, named) => {
  const refused = expect.objectContaining({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining(named) as string,
  });
  expect(() => createQueue('sms', { waitForReplicas })).toThrow(refused as Error);
  const connection = { url: servers.primary.url, waitForReplicas };
  expect(() => createQueue('sms', { connection })).toThrow(refused as Error);
});
