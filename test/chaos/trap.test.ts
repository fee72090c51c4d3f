// The trap springs at the very command that it is set for, however the bytes come.
import { Redis } from 'ioredis';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { redisUrl } from '../support/redis.ts';
import { eventually } from '../support/world.ts';
import { scriptHash, startTrap, type Trap } from './trap.ts';

const LUA = "return redis.call('INCR', KEYS[1])";
const key = (): string => `trap:${Math.random()}`;
let direct: Redis;
let trapped: Redis;
let trap: Trap;

beforeEach(async () => {
  trap = await startTrap(redisUrl());
  direct = new Redis(redisUrl());
  trapped = new Redis(trap.url, { retryStrategy: null, db: Number(new URL(redisUrl()).pathname.slice(1) || 0) });
  trapped.on('error', () => {});
  onTestFinished(async () => {
    trapped.disconnect();
    await direct.quit();
    await trap.close();
  });
});

test.each([
  ['swallow', null],
  ['hold', '1'],
] as const)('%s: Redis has %s of a script, by its text or its hash, and nobody hears', async (verdict, stored) => {
  const counter = key();
  await trapped.eval(LUA, 1, key());
  for (const name of ['eval', 'evalsha'] as const) {
    const sprung = new Promise<void>((resolve) => {
      trap.set({
        onCommand: ({ script, args }) => (script === scriptHash(LUA) && args.includes(counter) ? verdict : 'pass'),
        onSprung: () => resolve(),
      });
    });
    expect(await trapped.call(name, name === 'eval' ? LUA : scriptHash(LUA), 1, key())).toBe(1);
    const answer = trapped.call(name, name === 'eval' ? LUA : scriptHash(LUA), 1, counter);
    answer.catch(() => {});
    await sprung;
    expect(
      await Promise.race([answer, trapped.ping(), new Promise((resolve) => setTimeout(resolve, 50, 'silence'))]),
    ).toBe('silence');
    await eventually(async () => expect(await direct.get(counter)).toBe(stored));
    await direct.del(counter);
    trap.reset();
    await expect(answer).rejects.toThrow();
    await trapped.connect();
  }
});

test('a reply is swallowed by what it says, and the command before it in the same bytes is carried out', async () => {
  const sprung = new Promise<void>((resolve) => {
    trap.set({ onReply: (reply) => (reply.includes('a secret') ? 'swallow' : 'pass'), onSprung: () => resolve() });
  });
  const counter = key();
  expect(await trapped.echo('nothing')).toBe('nothing');
  const both = Promise.all([trapped.incr(counter), trapped.echo('a secret')]);
  both.catch(() => {});
  await sprung;
  expect(await direct.get(counter)).toBe('1');
  trap.reset();
  await expect(both).rejects.toThrow();
});
