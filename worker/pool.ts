// One tuned undici Pool per destination: a connection for every write in flight, so that none waits behind another.
import type { Socket } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { DestinationConfig } from '../core/config.ts';

/** Node servers close idle sockets after 5 s: ours go first, or a POST meets a closing socket (5 of 40 did). */
const KEEP_ALIVE_MS = 4000;
const CONNECT_MS = 10_000;
/** Of the attempt's own deadline: a connection that cannot be made is told apart from one that does not come free. */
const CONNECT_SHARE = 0.8;

export function createPool(config: DestinationConfig): Pool {
  return new Pool(new URL(config.baseUrl).origin, {
    connections: config.concurrency,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Every attempt has its own deadline; these have a granularity of a second, and bodyTimeout is per chunk.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: inPieces(
      buildConnector({
        timeout: Math.max(1, Math.floor(Math.min(config.timeoutMs * CONNECT_SHARE, CONNECT_MS))),
        allowH2: false,
      }),
    ),
  });
}

/**
 * Past the limit of a head undici ends the connection, and then makes an error, with its stack, for each header that is
 * left in what it has read: 65 KB of short ones held a worker for 90 ms. So it reads in pieces, and nothing of an end.
 */
const PIECE_BYTES = 4096;

function inPieces(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...answer) => {
      const [, socket] = answer;
      if (socket) readInPieces(socket);
      callback(...answer);
    });
}

function readInPieces(socket: Socket): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    if (size !== undefined) return read(size);
    if (socket.destroyed) return null;
    return socket.readableLength > PIECE_BYTES ? read(PIECE_BYTES) : read();
  };
}
