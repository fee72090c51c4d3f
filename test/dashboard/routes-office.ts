// A dashboard that listens, in front of dead letters: what tests of routes ask it.
import type { ConfigInput } from '../../core/config.ts';
import { startDashboard } from '../../dashboard/index.ts';

export interface Asked {
  status: number;
  headers: Headers;
  text: string;
  /** The answer as JSON, or undefined where it is none. */
  json: unknown;
}

export interface Office {
  readonly url: string;
  stop(): Promise<void>;
  as(who: keyof typeof TOKENS): {
    get(path: string): Promise<Asked>;
    post(path: string, body: unknown): Promise<Asked>;
    /** A raw answer, to be read or dropped. */
    fetch(path: string, init?: RequestInit): Promise<Response>;
  };
}

const TOKENS = {
  vera: 'viewer-token-viewer-token-viewer-1',
  ann: 'operator-token-operator-token-ann-1',
  bob: 'operator-token-operator-token-bob-2',
  ada: 'admin-token-admin-token-admin-tok-1',
} as const;
const ROLE = { vera: 'viewer', ann: 'operator', bob: 'operator', ada: 'admin' } as const;

export async function startOffice(config: ConfigInput): Promise<Office> {
  const names = Object.keys(TOKENS) as (keyof typeof TOKENS)[];
  const dashboard = await startDashboard(
    { ...config, dashboard: { port: 0, ...config.dashboard } },
    {
      env: { WAYBILL_DASHBOARD_TOKENS: names.map((name) => `${name}:${ROLE[name]}:${TOKENS[name]}`).join(',') },
      logTo: { write: () => {} },
    },
  );
  const url = dashboard.url.replace(/\/$/, '');
  return {
    url,
    stop: () => dashboard.stop(),
    as: (who) => {
      const authorization = `Bearer ${TOKENS[who]}`;
      const ask = async (path: string, init: RequestInit): Promise<Asked> => {
        const response = await fetch(url + path, init);
        const text = await response.text();
        return { status: response.status, headers: response.headers, text, json: parse(text) };
      };
      return {
        get: (path) => ask(path, { headers: { authorization } }),
        post: (path, body) =>
          ask(path, {
            method: 'POST',
            headers: { authorization, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        fetch: (path, init) => fetch(url + path, { ...init, headers: { authorization } }),
      };
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
