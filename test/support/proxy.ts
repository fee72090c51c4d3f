// A TCP proxy with faults: what a network, a crashing server or a firewall does to a connection, on demand.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

type Held = 'nothing' | 'replies' | 'everything';

interface Pair {
  client: Socket;
  upstream: Socket;
  /** Requests that are handed over and not yet shown to the observers; the replies wait for that. */
  unseen: number;
  frozen: boolean;
}

export interface FaultProxy {
  readonly port: number;
  /** `url('redis')`, `url('http', '/v1')`. */
  url(protocol: string, rest?: string): string;
  /** The server is down: nobody listens, the connections are reset. */
  refuse(): Promise<void>;
  /** A firewall drops packets: connections are accepted, nothing passes either way. `restore()` lets the bytes pass, as TCP does when a network heals. */
  blackhole(): void;
  /** Requests reach the server, its replies stay on the way until `restore()`. */
  pauseReplies(): void;
  /** Ends every fault; listens on the same port again. */
  restore(): Promise<void>;
  /** Resets the connections there are. New ones are served as before. */
  killSockets(): void;
  /** The connections there are stay open and pass nothing any more: a firewall has forgotten them. New ones are served. */
  freezeSockets(): void;
  /** How many connections were opened so far. */
  opened(): number;
  /** Calls back when a client's bytes have been handed to the server, before any reply to them can pass. Returns the way to stop. */
  onRequest(observe: (bytes: Buffer) => void): () => void;
  close(): Promise<void>;
}

export async function startProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  const observers = new Set<(bytes: Buffer) => void>();
  let held: Held = 'nothing';
  let opened = 0;

  const gate = ({ client, upstream, unseen, frozen }: Pair) => {
    flow(client, held !== 'everything' && !frozen);
    flow(upstream, held === 'nothing' && unseen === 0 && !frozen);
  };
  const hold = (what: Held) => {
    held = what;
    pairs.forEach(gate);
  };
  const killSockets = () => {
    for (const { client, upstream } of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };

  // Half-open, so that a side that has said all it has to say still gets its reply. No back-pressure: tests are small.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const pair = { client, upstream: connect({ ...target, allowHalfOpen: true }), unseen: 0, frozen: false };
    const { upstream } = pair;
    pairs.add(pair);
    opened += 1;
    join(client, upstream);
    join(upstream, client);
    client.on('close', () => pairs.delete(pair));
    upstream.on('data', (bytes: Buffer) => client.write(bytes));
    client.on('data', (bytes: Buffer) => {
      pair.unseen += 1;
      gate(pair);
      upstream.write(bytes, (error) => {
        if (!error) for (const observe of observers) observe(bytes);
        pair.unseen -= 1;
        gate(pair);
      });
    });
    gate(pair);
  });
  const port = await listen(server, 0);

  const refuse = async () => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    killSockets();
    await closed;
  };

  return {
    port,
    url: (protocol, rest = '') => `${protocol}://127.0.0.1:${port}${rest}`,
    refuse,
    blackhole: () => hold('everything'),
    pauseReplies: () => hold('replies'),
    restore: async () => {
      if (!server.listening) await listen(server, port);
      hold('nothing');
    },
    killSockets,
    freezeSockets: () => {
      for (const pair of pairs) {
        pair.frozen = true;
        gate(pair);
      }
    },
    opened: () => opened,
    onRequest: (observe) => {
      observers.add(observe);
      return () => void observers.delete(observe);
    },
    close: refuse,
  };
}

export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** The end of one side is the end of the other. */
function join(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.on('error', () => {}); // resets are what a fault proxy is for; 'close' follows
  from.on('end', () => to.end());
  from.on('close', () => to.destroy());
}

function flow(socket: Socket, open: boolean): void {
  if (open) socket.resume();
  else socket.pause();
}
