// The upstream's process. It reads HTTP/1.1 no further than it must: on few cores its own cost would be what is measured.
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { answer } from './ask.ts';

const HEAD_END = '\r\n\r\n';
const BODIES: Record<number, string> = {
  201: '{"id":"msg_000000000000","status":"accepted"}',
  503: '{"error":{"code":"UNAVAILABLE","message":"try again later"}}',
};

let count = 0;
let status = 201;
let answeredAt = new Map<number, number>();
let isHolding = false;
let held: (() => void)[] = [];
let waiting: { until: () => boolean; tell: () => void } | undefined;

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

function look(): { count: number; atMs: number; cpuUs: number } {
  const { user, system } = process.cpuUsage();
  return { count, atMs: nowMs(), cpuUs: user + system };
}

const server = createServer({ noDelay: true }, (socket: Socket) => {
  let text = '';
  socket.on('error', () => {});
  // One character for each byte: lengths are those of the wire.
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
    for (;;) {
      const head = text.indexOf(HEAD_END);
      if (head < 0) return;
      const end = head + HEAD_END.length + bodyLength(text.slice(0, head));
      if (text.length < end) return;
      const number = /^\S+ \S*\?n=(\d+) /.exec(text.slice(0, text.indexOf('\r\n')))?.[1];
      text = text.slice(end);
      if (isHolding) held.push(() => respond(socket, number));
      else respond(socket, number);
      if (waiting?.until()) waiting.tell();
    }
  });
});

function bodyLength(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && !/^(GET|HEAD|DELETE) /.test(head)) throw new Error(`no content-length: ${head}`);
  return Number(length ?? 0);
}

function respond(socket: Socket, number: string | undefined): void {
  const body = BODIES[status] ?? '';
  socket.write(
    `HTTP/1.1 ${status} Answer\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n` +
      `x-request-id: req_${String(count).padStart(12, '0')}\r\n\r\n${body}`,
  );
  if (number !== undefined) answeredAt.set(Number(number), nowMs());
  count++;
}

answer({
  listen: () =>
    new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', 1024, () => resolve((server.address() as AddressInfo).port)),
    ),
  look,
  reached: (wanted: number, limitMs: number) =>
    whenever(
      () => count >= wanted,
      limitMs,
      () => `only ${count} of ${wanted} requests`,
    ),
  hold: (wanted: number, limitMs: number) => {
    isHolding = true;
    return whenever(
      () => held.length >= wanted,
      limitMs,
      () => `only ${held.length} of ${wanted} requests at once`,
    );
  },
  release,
  reset: (next: number) => {
    release();
    count = 0;
    status = next;
    waiting = undefined;
    answeredAt = new Map();
  },
  answeredAt: (numbers: number) => Array.from({ length: numbers }, (_, n) => answeredAt.get(n) ?? null),
});

function release(): void {
  isHolding = false;
  const all = held;
  held = [];
  for (const answerOne of all) answerOne();
}

/** One wait at a time. @returns the look at that moment */
function whenever(until: () => boolean, limitMs: number, soFar: () => string): Promise<ReturnType<typeof look>> {
  return new Promise((resolve, reject) => {
    if (until()) return resolve(look());
    const limit = setTimeout(() => reject(new Error(`${soFar()} within ${limitMs} ms`)), limitMs);
    waiting = {
      until,
      tell: () => {
        clearTimeout(limit);
        waiting = undefined;
        resolve(look());
      },
    };
  });
}
