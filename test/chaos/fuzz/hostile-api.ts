// An API that hates its clients: a TCP server that reads each request as HTTP has it, and answers by the attack that the
// path names. What it says is made from that name and a number alone, so that a seed repeats it.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { chance } from '../chance.ts';
import { json } from './answers.ts';
import { answerOf } from './attacks.ts';
import { credentialIn } from './echoes.ts';

const MAX_SAMPLES = 20;

export interface HostileApi {
  readonly url: string;
  /** Requests that it has read. */
  readonly requests: number;
  /** Requests that were none: one hidden in another would show here. */
  readonly odd: readonly string[];
  /** What it was given to know its clients by. */
  readonly credentials: ReadonlySet<string>;
  close(): Promise<void>;
}

export async function startHostileApi(): Promise<HostileApi> {
  const sockets = new Set<Socket>();
  const odd: string[] = [];
  const credentials = new Set<string>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let held: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      for (let request = readRequest(held); request; request = readRequest(held)) {
        held = held.subarray(request.length);
        requests += 1;
        credentials.add(credentialIn(request.head));
        const [line = ''] = request.head.split('\r\n', 1);
        const [, target = ''] = /^(?:POST|PUT|PATCH|DELETE) (\/\S*) HTTP\/1\.1$/.exec(line) ?? [];
        if (target === '' && odd.length < MAX_SAMPLES) odd.push(line.slice(0, 200));
        const [, name = '', number = '0'] = /^\/([\w-]+)\/(\d+)$/.exec(target) ?? [];
        (answerOf(name) ?? json(404, { code: 'NO_SUCH_ATTACK' }))(socket, chance(Number(number)), request.head);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    odd,
    credentials,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** @returns the first request that is whole, and how many bytes it has */
function readRequest(bytes: Buffer): { head: string; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', 0, end);
  const bodyLength = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
  const length = end + 4 + bodyLength;
  return bytes.length < length ? undefined : { head: text, length };
}
