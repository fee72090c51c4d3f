// Ports for servers that must be told theirs. Not of the ephemeral ones, which any program may hold for a moment.
import { createServer } from 'node:net';

const FIRST_PORT = 21_000;
const PORTS = 9_000;
/** The nodes of a Cluster talk to each other on their port + 10,000, which must be free and a port too. */
const BUS_OFFSET = 10_000;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
