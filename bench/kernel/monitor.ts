// What clients ask of Redis, command by command. INFO commandstats cannot tell: it counts what scripts call as well, and so
// does total_commands_processed. MONITOR tells them apart, and slows the server down: so it never runs in a window whose
// time is measured.
import { createConnection } from 'node:net';
import type { BenchRedis } from './redis.ts';

const LIMIT_MS = 30_000;
/** Between these two the commands count. */
const MARKS = { from: 'waybill-bench-from', to: 'waybill-bench-to' };

/**
 * Counts while `task` runs; it is given two functions to say, as exactly as it can, where the counting begins and ends.
 * @returns how often clients called each command in between
 */
export async function countCommands(
  { url, client }: BenchRedis,
  task: (mark: { from: () => Promise<unknown>; to: () => Promise<unknown> }) => Promise<void>,
): Promise<Record<string, number>> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port) }).setEncoding('latin1');
  const calls: Record<string, number> = {};
  let counts = false;
  let held = '';
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const limit = setTimeout(() => ended.reject(new Error(`no end of MONITOR within ${LIMIT_MS} ms`)), LIMIT_MS);
  for (const { promise, reject } of [begun, ended]) {
    promise.catch(() => {});
    socket.once('error', reject).once('close', () => reject(new Error('Redis has closed the MONITOR connection')));
  }
  socket.once('data', () => begun.resolve());
  socket.on('data', (text: unknown) => {
    const lines = (held + String(text)).split('\r\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      if (line.endsWith(`"${MARKS.from}"`)) counts = true;
      else if (line.endsWith(`"${MARKS.to}"`)) {
        counts = false;
        ended.resolve();
      } else if (counts) note(calls, line);
    }
  });
  try {
    socket.write('MONITOR\r\n');
    await begun.promise;
    await task({ from: () => client.echo(MARKS.from), to: () => client.echo(MARKS.to) });
    await ended.promise;
    return calls;
  } finally {
    clearTimeout(limit);
    socket.destroy();
  }
}

function note(calls: Record<string, number>, line: string): void {
  const [, from, command] = /^\+[\d.]+ \[\d+ (\S+)\] "(\w+)"/.exec(line) ?? [];
  if (from === undefined || command === undefined || from === 'lua') return;
  const name = command.toLowerCase();
  calls[name] = (calls[name] ?? 0) + 1;
}
