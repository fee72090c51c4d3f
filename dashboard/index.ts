// createDashboard and startDashboard: dead letters in a browser, mounted in an application or as a server of its own. The
// public entry `waybill/dashboard`.
import { hostname, userInfo } from 'node:os';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { DestinationStream } from 'pino';
import { type Config, type ConfigInput, resolveConfig } from '../core/config.ts';
import { WaybillError } from '../core/errors.ts';
import type { ConnectionInput } from '../queue/connection.ts';
import type { ResolveUser } from './api/access/access.ts';
import { isLoopback } from './api/access/loopback.ts';
import { readTokens, TOKENS_VARIABLE } from './api/access/token-list.ts';
import type { User } from './api/app.ts';
import { type DashboardParts, putUp } from './api/dashboard.ts';
import { type OpenedReader, openReader } from './api/reader.ts';
import { listen } from './api/server.ts';
import { version } from './api/version.ts';

export { defineConfig, type Config, type ConfigInput } from '../core/config.ts';
export { WaybillError, type WaybillErrorCode } from '../core/errors.ts';
export type { ConnectionInput } from '../queue/connection.ts';
export type { ResolveUser } from './api/access/access.ts';
export type { User } from './api/app.ts';

export interface DashboardOptions {
  /** In place of config.redis. */
  connection?: ConnectionInput;
  /** Where it is served, such as `/ops/waybill`; the prefix that it is registered with comes before it. */
  base?: string;
  /** Where WAYBILL_DASHBOARD_TOKENS, or WAYBILL_DASHBOARD_TOKENS_FILE, comes from; process.env when left out. */
  env?: Record<string, string | undefined>;
}

export interface MountOptions extends DashboardOptions {
  /** Who a request comes from, as the application knows. It comes before tokens and a trusted proxy. */
  resolveUser?: ResolveUser;
}

export interface StartOptions extends DashboardOptions {
  /** Where log lines go; standard output when left out. */
  logTo?: DestinationStream;
  /** Everybody on this machine, where there is no sign-in; the user of this process when left out. */
  localName?: string;
}

export interface RunningDashboard {
  /** Where it is, with its base path. */
  readonly url: string;
  readonly port: number;
  /** Whether one signs in by a token, is known by a proxy, or neither. */
  readonly signIn: 'token' | 'outside' | 'none';
  /** Takes no more requests, and ends those under way after 5 s at the latest. */
  stop(): Promise<void>;
}

/** Between two looks for what has changed, while somebody listens. */
const LOOK_EVERY_MS = 1000;
const PING_EVERY_MS = 15_000;
const LIVE = { everyMs: LOOK_EVERY_MS, pingMs: PING_EVERY_MS };

/**
 * The dashboard as a fastify plugin: `app.register(createDashboard(config, { base: '/waybill', resolveUser }))`. Nothing
 * of the application's is changed. Redis is reached when the first request asks for it.
 * @throws WaybillError INVALID_CONFIG also where nothing says who may be there
 */
export function createDashboard(input: ConfigInput | Config, options: MountOptions = {}): FastifyPluginAsync {
  const config = resolveConfig(input);
  const tokens = readTokens(options.env ?? process.env);
  const { resolveUser, base } = options;
  if (!resolveUser && !tokens && !config.dashboard.trustedProxy) {
    throw new WaybillError(
      'INVALID_CONFIG',
      `the dashboard needs to know who is there: give resolveUser, set ${TOKENS_VARIABLE}, or configure dashboard.trustedProxy`,
    );
  }
  const access = { tokens, resolveUser, local: undefined };
  const prefix = checkBase(base);
  return async (app) => mount(app, prefix, config, access, openReader(options.connection ?? config.redis));
}

/**
 * The dashboard as a server of its own, on dashboard.host and dashboard.port.
 * @throws WaybillError INVALID_CONFIG · QUEUE_UNAVAILABLE when Redis is not reached within 5 s
 */
export async function startDashboard(
  input: ConfigInput | Config,
  options: StartOptions = {},
): Promise<RunningDashboard> {
  const config = resolveConfig(input);
  const { host, port, trustedProxy } = config.dashboard;
  const tokens = readTokens(options.env ?? process.env);
  const isOpen = !tokens && !trustedProxy;
  if (isOpen && !isLoopback(host)) {
    throw new WaybillError(
      'INVALID_CONFIG',
      `dashboard.host: ${host} can be reached from elsewhere, and nobody would have to sign in. Set ${TOKENS_VARIABLE} (name:role:token, or ${TOKENS_VARIABLE}_FILE), configure dashboard.trustedProxy, or take 127.0.0.1`,
    );
  }
  const local: User | undefined = isOpen ? { name: options.localName ?? osUser(), role: 'admin' } : undefined;
  const prefix = checkBase(options.base);
  const opened = openReader(options.connection ?? config.redis);
  try {
    await opened.reader();
    const access = { tokens, resolveUser: undefined, local };
    const { level } = config.log;
    const server = await listen({ host, port, trustedProxy, level, logTo: options.logTo }, (app) =>
      mount(app, prefix, config, access, opened),
    );
    return {
      url: `${server.url}${prefix}/`,
      port: server.port,
      signIn: isOpen ? 'none' : trustedProxy ? 'outside' : 'token',
      stop: () => server.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function mount(
  app: FastifyInstance,
  prefix: string,
  config: Config,
  access: DashboardParts['access'],
  { reader, giveUpIfSilent, close }: OpenedReader,
): Promise<void> {
  app.addHook('preClose', giveUpIfSilent);
  app.addHook('onClose', close);
  const context = { config, version, reader };
  await app.register((inner) => putUp(inner, { context, access, live: LIVE }), { prefix });
}

/** '' or `/ops/waybill`: what is put into the page, and into the path of cookies. */
function checkBase(base = ''): string {
  const path = base.replace(/\/+$/, '');
  if (/^(?:\/[A-Za-z0-9._~-]+)*$/.test(path)) return path;
  throw new WaybillError('INVALID_CONFIG', `base: must be a path such as /ops/waybill, got ${JSON.stringify(base)}`);
}

/** As the terminal names who acts. */
function osUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return 'local';
  }
}
