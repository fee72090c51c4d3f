// MONITOR over a plain socket: ioredis takes a line that comes with the first reply for a reply too many.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** One command that a client sent: what a script calls inside the server is none. */
export type Seen = (command: string, key: string) => void;

/** Starts to watch a server; it ends with the test. The server wants no password. */
export async function watchCommands(url: string, seen: Seen): Promise<{ stop: () => void }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const answered = Promise.withResolvers<void>();
  socket.once('error', answered.reject);
  createInterface({ input: socket }).on('line', (line) => {
    answered.resolve();
    const [, command, key = ''] = /^\+\S+ \[\d+ (?!lua)[^\]]*\] "([^"]*)"(?: "([^"]*)")?/.exec(line) ?? [];
    if (command !== undefined) seen(command.toLowerCase(), key);
  });
  socket.write('MONITOR\r\n');
  await answered.promise;
  return { stop: () => socket.destroy() };
}
