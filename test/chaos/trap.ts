// A trap between a process and Redis: it reads the commands one by one, and springs at the very one it is set for. From
// then on nothing more gets through, so that the process can be killed at exactly that step.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Command {
  /** SHA-1 of the script that it runs, by its text or by its hash. */
  readonly script: string | undefined;
  readonly args: readonly string[];
}

export interface Bait {
  /** `swallow`: it never reaches Redis. `hold`: Redis carries it out, and nobody learns of it. */
  onCommand?: (command: Command) => 'pass' | 'swallow' | 'hold';
  /** `swallow`: Redis has said it, and nobody hears. */
  onReply?: (reply: string) => 'pass' | 'swallow';
  /** At once, while the process still waits. @param reply what Redis answered a command whose reply is held */
  onSprung: (reply?: string) => void;
}

export interface Trap {
  readonly url: string;
  set(bait: Bait): void;
  /** Resets the connections there are; new ones are served. */
  reset(): void;
  close(): Promise<void>;
}

export const scriptHash = (lua: string): string => createHash('sha1').update(lua).digest('hex');

/** @param target redis://host:port */
export async function startTrap(target: string): Promise<Trap> {
  const { hostname: host, port } = new URL(target);
  const clients = new Set<Socket>();
  let bait: Bait | undefined;
  let shut: 'not' | 'to commands' | 'to replies' = 'not';
  const spring = (reply?: string): void => {
    bait?.onSprung(reply);
    bait = undefined;
  };

  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port) });
    const read = commandReader();
    let held = false;
    clients.add(client);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on('data', (bytes: Buffer) => {
      for (const { raw, command } of read(bytes)) {
        if (shut === 'to commands' || !clients.has(client)) return;
        const verdict = shut === 'not' ? (bait?.onCommand?.(command) ?? 'pass') : 'pass';
        if (verdict === 'swallow') {
          shut = 'to commands';
          spring();
          return;
        }
        if (verdict === 'hold') {
          shut = 'to replies';
          held = true;
        }
        upstream.write(raw);
      }
    });
    upstream.on('data', (bytes: Buffer) => {
      if (!clients.has(client)) return;
      if (shut === 'not' && bait?.onReply?.(bytes.toString('latin1')) === 'swallow') {
        shut = 'to replies';
        held = true;
      }
      if (held) spring(bytes.toString('latin1'));
      if (shut === 'not') client.write(bytes);
    });
    for (const socket of [client, upstream]) socket.on('error', () => {}); // a killed process resets; 'close' follows
    client.on('close', () => {
      clients.delete(client);
      // Not destroyed: what was handed over is carried out.
      upstream.end();
    });
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const reset = (): void => {
    bait = undefined;
    for (const client of clients) client.destroy();
    clients.clear();
    shut = 'not';
  };
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    set: (next) => {
      bait = next;
    },
    reset,
    close: async () => {
      server.close();
      reset();
      await once(server, 'close');
    },
  };
}

/** Reads RESP requests, arrays of bulk strings, whatever pieces they come in. */
function commandReader(): (bytes: Buffer) => { raw: Buffer; command: Command }[] {
  let left: Buffer = Buffer.alloc(0);
  return (bytes) => {
    left = left.length === 0 ? bytes : Buffer.concat([left, bytes]);
    const found: { raw: Buffer; command: Command }[] = [];
    for (;;) {
      const words = readWords(left);
      if (!words) return found;
      const [name = '', text = ''] = words.list;
      const isScript = /^eval(sha)?$/i.test(name);
      const script = !isScript ? undefined : name.length === 4 ? scriptHash(text) : text;
      found.push({ raw: left.subarray(0, words.end), command: { script, args: words.list.slice(isScript ? 2 : 1) } });
      left = left.subarray(words.end);
    }
  };
}

/** @returns undefined while there is no whole command */
function readWords(bytes: Buffer): { list: string[]; end: number } | undefined {
  let at = 0;
  const number = (): number | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const value = Number(bytes.toString('latin1', at + 1, end));
    at = end + 2;
    return value;
  };
  const count = number();
  if (count === undefined) return undefined;
  const list: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const length = number();
    if (length === undefined || bytes.length < at + length + 2) return undefined;
    list.push(bytes.toString('utf8', at, at + length));
    at += length + 2;
  }
  return { list, end: at };
}
