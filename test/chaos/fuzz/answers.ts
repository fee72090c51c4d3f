// The ways in which a hostile API says something: bytes on a socket.
import type { Socket } from 'node:net';
import type { Chance } from '../chance.ts';

/** @param request the head of what was asked */
export type Answer = (socket: Socket, random: Chance, request: string) => void;

export interface Attack {
  readonly answer: Answer;
  /** Somewhere in it is what a client may take for success. */
  readonly succeeds?: true;
}

export const head = (status: number | string, headers: Record<string, string | number>): string =>
  `HTTP/1.1 ${status} Said\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

export const whole =
  (status: number | string, body: string | Buffer, headers: Record<string, string | number> = {}): Answer =>
  (socket) => {
    socket.write(
      Buffer.concat([
        Buffer.from(head(status, { 'content-length': Buffer.byteLength(body), ...headers }), 'latin1'),
        Buffer.from(body),
      ]),
    );
  };

export const json = (status: number, value: unknown, headers: Record<string, string | number> = {}): Answer =>
  whole(status, typeof value === 'string' ? value : JSON.stringify(value), {
    'content-type': 'application/json',
    ...headers,
  });

/** The bytes as they are, and then the end of the connection. */
export const raw =
  (bytes: string | Buffer): Answer =>
  (socket) =>
    socket.end(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);

export const oneOf =
  (...answers: Answer[]): Answer =>
  (socket, random, request) =>
    random.pick(answers)(socket, random, request);

export function drip(socket: Socket, text: () => string, everyMs: number, first = ''): void {
  if (first) socket.write(first);
  const timer = setInterval(() => socket.write(text()), everyMs);
  socket.on('close', () => clearInterval(timer));
}
