// A TCP proxy that tells one exchange from the next, and does to any of them what a network, a firewall or a dying server
// does. What it does to all connections at once (refuse, black hole) lasts until heal(); what it does to one exchange is
// decided by a plan, which is asked for each request. proxy.ts beside it knows bytes only, and is enough for one outage.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { framer, type Framing, type Piece } from './framing.ts';
import { listen } from './proxy.ts';

export type Fault =
  /** A firewall has forgotten the connection: from this request on, or from its reply on, it stays open and passes nothing. */
  | { mode: 'black-hole'; from: 'request' | 'reply' }
  /** So many bytes of the request go on, at most all but one; then the connection is closed, reset or forgotten. */
  | { mode: 'cut-request'; bytes: (request: Buffer) => number; by: 'FIN' | 'RST' | 'silence' }
  /** The server has done what was asked; the connection is reset before any byte of its reply. */
  | { mode: 'reset-before' }
  /** The reply passes in full, and the connection is reset at once. */
  | { mode: 'reset-after' }
  /** The request is held, and so is the reply, each for as long as `ms()` says. */
  | { mode: 'delay'; ms: () => number }
  /** So many bytes of the reply pass, at most all but one; then the connection is closed (FIN) or reset (RST). */
  | { mode: 'truncate'; bytes: number; by: 'FIN' | 'RST' }
  /** The reply passes byte by byte. */
  | { mode: 'drip'; everyMs: number };

/** Decides about a request that is whole and not forwarded yet. */
export type Plan = (request: Buffer) => Fault | undefined;

export interface ExchangeProxy {
  readonly port: number;
  /** `url('redis')`, `url('http', '/v1')`. */
  url(protocol: string, rest?: string): string;
  /** Nobody listens, and the connections there are reset. */
  refuse(): Promise<void>;
  /** Connections are accepted and nothing passes either way; heal() lets the bytes pass. */
  blackHole(): void;
  /** In the place of the plan before; undefined for none. */
  plan(next: Plan | undefined): void;
  /** Ends plan, refusal and black hole. A connection that was forgotten stays so: its client has to give it up. */
  heal(): Promise<void>;
  /** Exchanges to which a fault was done. */
  hits(mode?: Fault['mode']): number;
  /** Connections that were forgotten, and that their clients have not given up yet. */
  forgotten(): number;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly up: Lane;
  readonly down: Lane;
  /** One for each request whose reply is not complete. */
  readonly waiting: (Fault | undefined)[];
  forgotten: boolean;
  /** A request was cut off: what comes behind it on this connection is no request any more. */
  cutOff: boolean;
}

export async function startFaultProxy(
  target: { host: string; port: number },
  framing: Framing = 'chunks',
): Promise<ExchangeProxy> {
  const pairs = new Set<Pair>();
  const hits = new Map<Fault['mode'], number>();
  let next: Plan | undefined;
  let hole: PromiseWithResolvers<void> | undefined;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...target, allowHalfOpen: true });
    const through = (): Promise<void> | undefined => hole?.promise;
    const pair: Pair = {
      client,
      upstream,
      up: new Lane(through),
      down: new Lane(through),
      waiting: [],
      forgotten: false,
      cutOff: false,
    };
    pairs.add(pair);
    join(client, upstream, pair.up);
    join(upstream, client, pair.down);
    for (const socket of [client, upstream])
      socket.on('close', () => client.closed && upstream.closed && pairs.delete(pair));

    const requests = framer(framing);
    let parts: Buffer[] = [];
    client.on('data', (chunk: Buffer) => {
      for (const { bytes, ends } of requests(chunk)) {
        parts.push(bytes);
        if (!ends) continue;
        ask(pair, Buffer.concat(parts));
        parts = [];
      }
    });
    const replies = framer(framing);
    let passed = 0;
    upstream.on('data', (chunk: Buffer) => {
      for (const piece of replies(chunk)) {
        answer(pair, piece, passed);
        passed = piece.ends ? 0 : passed + piece.bytes.length;
        if (piece.ends) pair.waiting.shift();
      }
    });
  });
  const port = await listen(server, 0);

  function ask(pair: Pair, request: Buffer): void {
    if (pair.forgotten || pair.cutOff) return;
    const fault = next?.(request);
    if (fault?.mode === 'black-hole' && fault.from === 'request') {
      forget(pair);
      return hit(fault);
    }
    if (fault?.mode === 'cut-request') return cutRequest(pair, request, fault);
    if (fault?.mode === 'delay') hit(fault);
    pair.waiting.push(fault);
    pair.up.send(() => write(pair.upstream, request), fault?.mode === 'delay' ? fault.ms() : 0);
  }

  function cutRequest(pair: Pair, request: Buffer, fault: Extract<Fault, { mode: 'cut-request' }>): void {
    const { upstream, up } = pair;
    const kept = request.subarray(0, Math.min(Math.max(1, fault.bytes(request)), request.length - 1));
    hit(fault);
    up.send(() => write(upstream, kept));
    if (fault.by === 'silence') return forget(pair);
    pair.cutOff = true;
    up.send(() => (fault.by === 'RST' ? cut(pair) : end(pair)));
  }

  function answer(pair: Pair, { bytes, ends }: Piece, passed: number): void {
    const { client, down } = pair;
    const fault = pair.waiting[0];
    if (!fault) return down.send(() => write(client, bytes));
    const doneNow = passed === 0;
    switch (fault.mode) {
      case 'reset-before':
        if (doneNow) hit(fault);
        return down.send(() => cut(pair));
      case 'reset-after':
        down.send(() => write(client, bytes));
        if (!ends) return;
        hit(fault);
        return down.send(() => cut(pair));
      case 'delay':
        return down.send(() => write(client, bytes), fault.ms());
      case 'truncate': {
        const left = Math.min(fault.bytes - passed, ends ? bytes.length - 1 : bytes.length);
        if (left === bytes.length) return down.send(() => write(client, bytes));
        if (left < 0) return;
        hit(fault);
        const kept = bytes.subarray(0, left);
        down.send(() => write(client, kept));
        down.send(() => (fault.by === 'RST' ? cut(pair) : end(pair)));
        return;
      }
      case 'black-hole':
        if (pair.forgotten) return;
        hit(fault);
        return forget(pair);
      case 'cut-request':
        return; // no reply comes to what is no whole request
      case 'drip':
        if (doneNow) hit(fault);
        for (const byte of bytes)
          down.send(() => client.destroyed || write(client, Buffer.of(byte)).then(() => sleep(fault.everyMs)));
    }
  }

  const hit = ({ mode }: Fault): void => void hits.set(mode, (hits.get(mode) ?? 0) + 1);
  const refuse = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    pairs.forEach(cut);
    await closed;
  };

  return {
    port,
    url: (protocol, rest = '') => `${protocol}://127.0.0.1:${port}${rest}`,
    refuse,
    blackHole: () => {
      hole ??= Promise.withResolvers();
    },
    plan: (given) => void (next = given),
    heal: async () => {
      next = undefined;
      hole?.resolve();
      hole = undefined;
      if (!server.listening) await listen(server, port);
    },
    hits: (mode) =>
      mode === undefined ? [...hits.values()].reduce((sum, count) => sum + count, 0) : (hits.get(mode) ?? 0),
    forgotten: () =>
      [...pairs].filter(({ forgotten, client }) => forgotten && !client.readableEnded && !client.closed).length,
    close: refuse,
  };
}

/** Acts of one direction, one after the other. */
class Lane {
  #tail: Promise<unknown> = Promise.resolve();
  readonly #through: () => Promise<void> | undefined;

  constructor(through: () => Promise<void> | undefined) {
    this.#through = through;
  }

  /** @param delayMs from now, not from the end of what goes before: a long way holds a stream once, not once for each piece */
  send(act: () => unknown, delayMs = 0): void {
    const dueAt = performance.now() + delayMs;
    this.#tail = this.#tail.then(async () => {
      if (delayMs > 0) await sleep(Math.max(0, dueAt - performance.now()));
      await this.#through();
      await act();
    });
  }

  /** Nothing passes from here on. */
  stop(): void {
    this.send(() => new Promise(() => {}));
  }
}

function forget(pair: Pair): void {
  pair.forgotten = true;
  pair.up.stop();
  pair.down.stop();
}

function cut({ client, upstream }: Pair): void {
  client.resetAndDestroy();
  upstream.destroy();
}

function end({ client, upstream }: Pair): void {
  client.end();
  upstream.destroy();
}

/** The end of one side is the end of the other, once what was said before has passed. */
function join(from: Socket, to: Socket, lane: Lane): void {
  from.setNoDelay(true);
  from.on('error', () => {}); // 'close' follows
  from.on('end', () => lane.send(() => to.end()));
  from.on('close', (failed) => lane.send(() => (failed ? to.resetAndDestroy() : to.destroy())));
}

const write = (socket: Socket, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed || socket.writableEnded) resolve();
    else socket.write(bytes, () => resolve());
  });
