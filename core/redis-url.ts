// Where Redis is, as one text: the same for applications, workers and the command line.
//   redis://[user[:password]@]host[:port][/database]                       one server
//   redis+sentinel://[user[:password]@]host[:port],…/name[/database]       the primary that these Sentinels call by that name
//   redis+cluster://[user[:password]@]host[:port],…                        a Cluster; some of its nodes are enough
// With rediss in place of redis: over TLS, the Sentinels too.

export interface RedisAddress {
  kind: 'single' | 'sentinel' | 'cluster';
  tls: boolean;
  /** At least one. */
  hosts: { host: string; port: number }[];
  username?: string;
  password?: string;
  /** The primary's name at its Sentinels; empty for the other kinds. */
  name: string;
  database: number;
}

export const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const URL_PARTS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)([^?#]*)(.*)$/is;
const DATABASE = String.raw`(?:\/(\d{0,4}))?`;
const PATHS = {
  single: { pattern: new RegExp(`^()${DATABASE}$`), fault: 'must end with a database number, or none' },
  sentinel: {
    pattern: new RegExp(String.raw`^\/([\w.-]+)${DATABASE}$`),
    fault: 'must name the primary as its Sentinels do: redis+sentinel://host:26379,host:26379/name',
  },
  cluster: { pattern: /^()\/?()$/, fault: 'must end after its hosts: a Cluster has one database' },
};
/** A message need not repeat a whole Cluster. */
const HOSTS_SHOWN = 3;

/** Never quotes the text in a fault: it may hold a password. */
export function parseRedisUrl(text: string): RedisAddress | { fault: string } {
  const parts = URL_PARTS.exec(text);
  if (!parts) {
    return { fault: 'must be a redis:// or rediss:// URL, or one of redis+sentinel:// or redis+cluster://' };
  }
  const [, scheme = '', named, authority = '', path = '', rest] = parts;
  // The driver reads options there, a password among them, which would stand in files and messages.
  if (rest) return { fault: 'must not hold a query or a fragment' };
  const kind = (named?.toLowerCase() ?? 'single') as RedisAddress['kind'];
  const at = authority.lastIndexOf('@');
  const user = userOf(authority.slice(0, at + 1));
  if (!user) return { fault: 'holds a user or password that is not URL-encoded; write % as %25' };
  const texts = authority.slice(at + 1).split(',');
  if (kind === 'single' && texts.length > 1) {
    return { fault: 'names several hosts: write redis+sentinel:// or redis+cluster://' };
  }
  const hosts = texts.map((host) => hostOf(host, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT));
  if (hosts.includes(undefined)) return { fault: 'must name its hosts as host or host:port, with commas between' };
  const { pattern, fault } = PATHS[kind];
  const [, name, database] = pattern.exec(path) ?? [];
  if (name === undefined) return { fault };
  return {
    kind,
    tls: scheme.toLowerCase() === 'rediss',
    hosts: hosts as RedisAddress['hosts'],
    ...user,
    name,
    database: Number(database ?? 0),
  };
}

/** For messages: where it is, without user and password. */
export function redisLabel({ kind, hosts, name }: Pick<RedisAddress, 'kind' | 'hosts' | 'name'>): string {
  const shown = hosts
    .slice(0, HOSTS_SHOWN)
    .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  const list = `${shown.join(',')}${hosts.length > HOSTS_SHOWN ? ',…' : ''}`;
  if (kind === 'sentinel') return `${name} of the Sentinels ${list}`;
  return kind === 'cluster' ? `the Cluster ${list}` : list;
}

/** @param userinfo `user:password@`, or nothing */
function userOf(userinfo: string): Pick<RedisAddress, 'username' | 'password'> | undefined {
  const { username, password } = new URL(`redis://${userinfo}host`);
  try {
    return {
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
    };
  } catch {
    return undefined;
  }
}

function hostOf(text: string, defaultPort: number): RedisAddress['hosts'][number] | undefined {
  // The scheme has no port of its own, so that one which is written is never left out.
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined;
  if (!url?.hostname || url.port === '0') return undefined;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || defaultPort) };
}
