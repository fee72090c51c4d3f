import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Io } from '../../cli/io.ts';
import { bytesIn, startProgress } from '../../cli/progress.ts';
import { emptyFolder } from './run-cli.ts';

const PAST_DRAW_MS = 120;

function fdOf(path: string, flags = 'r'): number {
  const fd = openSync(path, flags);
  onTestFinished(() => closeSync(fd));
  return fd;
}

/** A terminal on standard error, and answers that go into a file. */
function watched(more: { env?: Io['env']; stdout?: object; stderr?: object } = {}) {
  let drawn = '';
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 60, ...more.stderr });
  stderr.setEncoding('utf8').on('data', (text: string) => (drawn += text));
  const stdout = Object.assign(new PassThrough(), more.stdout ?? { fd: fdOf('/dev/null', 'w') });
  const io = { env: more.env ?? {}, stdin: new PassThrough(), stdout, stderr } as unknown as Io;
  return { io, drawn: () => drawn };
}

test('it draws the share, what was done, and goes away at the end', async () => {
  const { io, drawn } = watched();
  const progress = startProgress(io, 'sms', 1000);
  progress?.show(0, '1 queued');
  await sleep(PAST_DRAW_MS);
  progress?.show(500, '2 queued');
  progress?.show(501, 'too soon after the last one');
  progress?.clear();
  expect(stripVTControlCharacters(drawn()).split('\r')).toEqual([
    '',
    `sms  ${'.'.repeat(24)}   0 %  1 queued`,
    `sms  ${'='.repeat(12)}${'.'.repeat(12)}  50 %  2 queued`,
    '',
  ]);
  expect(drawn()).toMatch(/\r.\[K$/s);
});

test('without a total it counts; a line is never longer than the terminal is wide', () => {
  const { io, drawn } = watched();
  startProgress(io, 'sms', undefined)?.show(10, `12 queued ${'x'.repeat(100)}`);
  expect(drawn()).toBe(`\r${`sms  12 queued ${'x'.repeat(100)}`.slice(0, 59)}\u001b[K`);
});

test.each([
  ['standard error is no terminal', { stderr: { isTTY: false } }],
  ['a machine runs it', { env: { CI: 'true' } }],
  ['the terminal cannot draw over a line', { env: { TERM: 'dumb' } }],
  ['the answers come on the terminal', { stdout: { isTTY: true } }],
  ['the answers go into a pipe, behind which may be a terminal', { stdout: {} }],
])('nothing is drawn while %s', (_, more) => expect(startProgress(watched(more).io, 'sms', 1)).toBeUndefined());

test('it may share the screen with the answers: what is cleared is drawn again, and nothing is cleared that was not drawn', async () => {
  const { io, drawn } = watched({ stdout: { isTTY: true } });
  const progress = startProgress(io, 'sms', undefined, { sharesScreen: true });
  progress?.clear();
  progress?.show(1, 'one');
  progress?.clear();
  await sleep(PAST_DRAW_MS);
  progress?.show(2, 'two');
  expect(drawn()).toBe('\rsms  one\u001b[K\r\u001b[K\rsms  two\u001b[K');
});

test('what is over soon is not drawn', () => {
  const { io, drawn } = watched();
  const progress = startProgress(io, 'sms', 2, { notBefore: performance.now() + 60_000 });
  progress?.show(1, 'one');
  progress?.clear();
  expect(drawn()).toBe('');
});

test('how much there is to read is known of a file alone', async () => {
  const path = join(await emptyFolder(), 'writes.ndjson');
  await writeFile(path, '12345');
  expect(bytesIn(Object.assign(new PassThrough(), { fd: fdOf(path) }))).toBe(5);
  expect(bytesIn(Object.assign(new PassThrough(), { fd: fdOf('/dev/null') }))).toBeUndefined();
  expect(bytesIn(new PassThrough())).toBeUndefined();
});
