import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { askText, confirm } from '../../cli/ask.ts';
import { explainError } from '../../cli/exit-codes.ts';
import { eventually } from '../support/world.ts';

function terminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  let shown = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (shown += text));
  return {
    io: { stdin, stderr },
    type: async (keys: string) => {
      await eventually(() => expect(shown).toContain('sure'));
      stdin.write(keys);
    },
    shown: () => shown,
    hangUp: async () => {
      await eventually(() => expect(shown).toContain('sure'));
      stdin.end();
    },
  };
}

const nobody = { stdin: new PassThrough(), stderr: new PassThrough() };

test('--yes answers without asking', async () => {
  expect(await confirm(nobody, 'sure?', { yes: true })).toBe(true);
  await askText(nobody, 'sure?', { yes: true, expected: '17' });
});

test('without a terminal nothing is asked, and --yes is named', async () => {
  const { io } = terminal();
  for (const half of [nobody, { ...nobody, stdin: io.stdin }, { ...nobody, stderr: io.stderr }]) {
    await expect(confirm(half, 'Replay 3 writes?', { yes: false })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'Replay 3 writes? There is no terminal to ask on: pass --yes',
    });
    await expect(askText(half, 'How many?', { yes: false, expected: '3' })).rejects.toMatchObject({ code: 'USAGE' });
  }
});

test.each([
  ['y', true],
  ['n', false],
  ['\r', false],
])('on a terminal the answer is the key %j', async (key, answer) => {
  const { io, type } = terminal();
  const answered = confirm(io, 'sure?', { yes: false });
  await type(key);
  expect(await answered).toBe(answer);
});

test.each([['\u0003'], ['\u0004'], ['\u001b']])('a key that leaves, %j, cancels: exit 130', async (key) => {
  const { io, type } = terminal();
  const answered = confirm(io, 'sure?', { yes: false }).catch((error: unknown) => error);
  await type(key);
  expect(explainError(await answered)).toEqual({ exit: 130, said: 'CANCELLED: nothing was done' });
});

test('a terminal that goes away cancels', async () => {
  const { io, hangUp } = terminal();
  const answered = confirm(io, 'sure?', { yes: false });
  const told = expect(answered).rejects.toMatchObject({ code: 'CANCELLED' });
  await hangUp();
  await told;
});

test('a typed confirmation is asked for until it is right', async () => {
  const { io, type, shown } = terminal();
  let done = false;
  const typed = askText(io, 'sure? Type the count', { yes: false, expected: '17' }).then(() => (done = true));
  await type('71\r');
  await eventually(() => expect(shown()).toContain('Type 17'));
  expect(done).toBe(false);
  await type('\u007f\u007f17\r');
  await typed;
});
