// What a redis-server needs to speak TLS, with the tests' own certificates; and whether there is one that can.
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const certificate = (name: string): string => fileURLToPath(new URL(`../redis/certificates/${name}`, import.meta.url));

/** For `redis.tls`. */
export const CA = { caFile: certificate('ca.crt') };
export const CLIENT = { certFile: certificate('client.crt'), keyFile: certificate('client.key') };

const SERVER = {
  'tls-cert-file': certificate('server.crt'),
  'tls-key-file': certificate('server.key'),
  'tls-ca-cert-file': CA.caFile,
};

/** Arguments of a redis-server that serves TLS on this port and asks clients for a certificate. */
export const tlsArgs = (port: number): string[] =>
  Object.entries({ ...SERVER, 'tls-port': String(port) }).flatMap(([name, value]) => [`--${name}`, value]);

/** The same as lines of a configuration file. */
export const tlsLines = (port: number): string[] =>
  Object.entries({ ...SERVER, 'tls-port': String(port) }).map(([name, value]) => `${name} ${value}`);

/** Starts it; a redis-server that was built without TLS skips the test, and says so. */
export async function orSkip<T>(context: TestContext, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    // Redis names the directive that it does not know. A port in use, or a bad certificate, is a failure.
    if (!/'tls-.*Bad directive/is.test(String(error))) throw error;
    return context.skip('the redis-server found here was built without TLS');
  }
}
