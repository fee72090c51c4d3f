// waybill enqueue in front of a person: how far it is, what was not queued, and nothing of what went well.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { enqueue } from '../../cli/enqueue.ts';
import type { Io } from '../../cli/io.ts';
import { cleanUp, freshDestination, redisUrl } from '../support/redis.ts';
import { emptyFolder } from './run-cli.ts';

const line = (idempotencyKey: string): string => JSON.stringify({ method: 'POST', path: '/v1/x', idempotencyKey });

/** One screen: what is printed and what is said come out in their order. */
async function onTerminal(lines: readonly string[], more: { isPipe?: boolean; output?: 'ndjson' } = {}) {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'writes.ndjson'), lines.join('\n'));
  const name = freshDestination();
  onTestFinished(() => cleanUp([name]));
  let screen = '';
  const terminal = (isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
    stream.setEncoding('utf8').on('data', (text: string) => (screen += text));
    return stream;
  };
  const io = {
    env: { REDIS_URL: redisUrl() },
    cwd,
    stdin: new PassThrough(),
    stdout: terminal(!more.isPipe),
    stderr: terminal(true),
    untilStopped: () => ({ asked: new AbortController().signal, force: new AbortController().signal }),
  } as unknown as Io;
  const code = await enqueue(io, { file: 'writes.ndjson', ...(more.output && { output: more.output }) }, name);
  return { code, name, screen: stripVTControlCharacters(screen) };
}

const LINES = [line('a'), line('b'), line('a'), 'nope'];

test('on a terminal the bar stands under the answers of the writes that were not queued, and the counts close it', async () => {
  const { code, name, screen } = await onTerminal(LINES);
  const parts = screen.split('\r').filter(Boolean);
  expect(parts[0]).toBe(`${name}  ${'='.repeat(24)} 100 %  1 queued`);
  // On a slow machine it is drawn once more.
  const printed = parts.filter((part) => !part.includes(' %  '));
  expect(printed.join('')).toMatch(
    new RegExp(
      `^ +3 {2}duplicate +a +w\\S{22}\\n +4 {2}invalid +- +INVALID_WRITE: the line is not JSON\\n${name}: 2 queued, 1 duplicate, 1 invalid\\n$`,
    ),
  );
  expect(code).toBe(1);
});

test.each([
  ['into a pipe', { isPipe: true }],
  ['with -o', { output: 'ndjson' as const }],
])('%s every answer comes, and no bar', async (_, more) => {
  const { name, screen } = await onTerminal(LINES, more);
  expect(screen).not.toContain('%');
  expect(screen.trimEnd().split('\n')).toEqual([
    expect.stringContaining('"status":"queued"'),
    expect.stringContaining('"status":"queued"'),
    expect.stringContaining('"status":"duplicate"'),
    expect.stringContaining('"status":"invalid"'),
    `${name}: 2 queued, 1 duplicate, 1 invalid`,
  ]);
});
