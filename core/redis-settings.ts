// The `redis` section of the configuration. A password never stands in a file: the environment gives it, in the URL or
// beside it.
import { z } from 'zod';
import { isRecord } from './json.ts';
import { DEFAULT_REDIS_URL, parseRedisUrl } from './redis-url.ts';

const file = z.string().min(1).max(4096);
const secret = z.string().min(1).max(4096);

/** The longest that a producer may be told to wait for replicas. */
const MAX_WAIT_MS = 60_000;

/** How an add is acknowledged: `count` replicas have it as well, or it is told after `timeoutMs` that they do not. */
export const waitForReplicas = z.strictObject({
  count: z
    .int()
    .min(1)
    .max(100)
    .describe('How many replicas of its primary must have an added write before `add` is answered.'),
  timeoutMs: z
    .int()
    .min(10)
    .max(MAX_WAIT_MS)
    .default(1000)
    .describe('How long they are waited for; after it `add` answers `NOT_REPLICATED`.'),
});

export type WaitForReplicas = z.output<typeof waitForReplicas>;

export const redisSettings = z.strictObject({
  url: z
    .string()
    .superRefine(checkUrl)
    .default(DEFAULT_REDIS_URL)
    .describe('Where Redis is: redis://, redis+sentinel:// or redis+cluster://; rediss… over TLS.'),
  password: secret
    .optional()
    .describe('Of the user that the URL names, or of `default`. From the environment alone: REDIS_PASSWORD.'),
  sentinelPassword: secret
    .optional()
    .describe('Of the Sentinels themselves. From the environment alone: REDIS_SENTINEL_PASSWORD.'),
  tls: z
    .strictObject({
      caFile: file
        .optional()
        .describe(
          "The authorities that sign the servers' certificates, PEM; in place of those that the system trusts.",
        ),
      certFile: file.optional().describe("This side's certificate, PEM, for servers that ask for one."),
      keyFile: file.optional().describe('Its key, PEM. The two are given together.'),
      servername: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe("The name that the servers' certificates must bear; the host's when left out."),
    })
    .optional()
    .describe('For a rediss URL. Paths are those of the machine that it runs on.'),
  waitForReplicas: waitForReplicas
    .optional()
    .describe('Producers wait for replicas (`WAIT`), so that a failover loses less. Without it they do not.'),
});

export type RedisSettings = z.output<typeof redisSettings>;
/** As a program gives them: what has a default may be left out. */
export type RedisSettingsInput = z.input<typeof redisSettings> & { url: string };

/** What a file must not hold. @param redis the section as the file has it */
export function secretsInFile(redis: unknown): string[] {
  if (!isRecord(redis)) return [];
  const wrong: string[] = [];
  if (typeof redis.url === 'string' && mayHoldPassword(redis.url)) {
    wrong.push(
      'redis.url: must not hold a password in a file; give it in REDIS_PASSWORD, or the whole URL in REDIS_URL',
    );
  }
  for (const [name, from] of Object.entries({
    password: 'REDIS_PASSWORD',
    sentinelPassword: 'REDIS_SENTINEL_PASSWORD',
  })) {
    if (redis[name] !== undefined)
      wrong.push(`redis.${name}: must not stand in a file; give it in ${from} or ${from}_FILE`);
  }
  return wrong;
}

/** Values that contradict each other; none for a section that is wrong by itself. */
export function redisContradictions(redis: unknown): string[] {
  const parsed = redisSettings.safeParse(redis ?? {});
  if (!parsed.success) return [];
  const { url, password, sentinelPassword, tls } = parsed.data;
  const address = parseRedisUrl(url);
  if ('fault' in address) return [];
  const wrong: string[] = [];
  if (password !== undefined && address.password !== undefined) {
    wrong.push('redis.password: the URL holds a password too; keep one of them');
  }
  if (sentinelPassword !== undefined && address.kind !== 'sentinel') {
    wrong.push('redis.sentinelPassword: is for a redis+sentinel:// URL');
  }
  if (tls && !address.tls) wrong.push('redis.tls: needs a URL that begins with rediss');
  if (tls && (tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    wrong.push('redis.tls: certFile and keyFile are given together');
  }
  return wrong;
}

function checkUrl(value: string, context: z.RefinementCtx): void {
  const address = parseRedisUrl(value);
  if ('fault' in address) context.addIssue(address.fault);
}

/** Also of a text that is no URL: better once too often. */
function mayHoldPassword(url: string): boolean {
  const address = parseRedisUrl(url);
  return 'fault' in address ? /:\/\/[^/]*:[^/]*@/.test(url) : address.password !== undefined;
}
