import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../cli/settings.ts';
import { emptyFolder, runCli } from './run-cli.ts';

async function folderWith(files: Record<string, string>): Promise<string> {
  const cwd = await emptyFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  return cwd;
}

const FILE = JSON.stringify({
  redis: { url: 'redis://file' },
  log: { level: 'warn' },
  worker: { lockMs: 1000, maxCrashes: 1 },
});

test('flags go over the environment, that over the file, that over the defaults', async () => {
  const cwd = await folderWith({ 'waybill.config.json': FILE });
  const env = { REDIS_URL: 'redis://env', WAYBILL_LOG_LEVEL: 'error', WAYBILL_LOCK_MS: '2000' };
  expect(await loadConfig({ cwd, env: {} }, {})).toMatchObject({
    redis: { url: 'redis://file' },
    log: { level: 'warn' },
    worker: { lockMs: 1000, maxCrashes: 1, stalledIntervalMs: 30_000 },
  });
  expect(await loadConfig({ cwd, env }, {})).toMatchObject({
    redis: { url: 'redis://env' },
    log: { level: 'error' },
    worker: { lockMs: 2000, maxCrashes: 1 },
  });
  expect(await loadConfig({ cwd, env }, { redis: 'redis://flag', logLevel: 'debug' })).toMatchObject({
    redis: { url: 'redis://flag' },
    log: { level: 'debug' },
  });
});

test('the configuration is TypeScript, a module or JSON; --config goes over WAYBILL_CONFIG over the current directory', async () => {
  const named = (level: string): string => `export default { log: { level: '${level}' } };`;
  const cwd = await folderWith({
    'waybill.config.ts': named('warn'),
    'a.mjs': named('error'),
    'b.json': '{"log":{"level":"debug"}}',
  });
  const level = async (env: Record<string, string>, config?: string): Promise<string> =>
    (await loadConfig({ cwd, env }, config === undefined ? {} : { config })).log.level;
  expect(await level({})).toBe('warn');
  expect(await level({ WAYBILL_CONFIG: 'a.mjs' })).toBe('error');
  expect(await level({ WAYBILL_CONFIG: 'a.mjs' }, 'b.json')).toBe('debug');
});

test('everything that is wrong is named at once, with where it came from and what is allowed', async () => {
  const cwd = await folderWith({
    'waybill.config.json': '{"destinations":{"sms":{"baseUrl":"ftp://x","concurency":1}}}',
  });
  const env = { WAYBILL_LOCK_MS: '12x', WAYBILL_GRACE_MS: '-1', WAYBILL_LOK_MS: '1', WAYBILL_LOG_LEVEL: 'loud' };
  const { code, stdout, stderr } = await runCli(['status'], { cwd, env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const told of [
    'waybill: INVALID_CONFIG: ',
    'WAYBILL_LOCK_MS: must be a whole number, in digits alone, got "12x"',
    'WAYBILL_GRACE_MS: must be a whole number',
    'WAYBILL_LOK_MS: there is no such setting; allowed are WAYBILL_CONFIG',
    'log.level: Invalid option: expected one of "trace"',
    '(from WAYBILL_LOG_LEVEL)',
    'destinations.sms.baseUrl: must be an http:// or https:// URL (from waybill.config.json)',
    'destinations.sms: has no setting concurency; allowed are baseUrl',
  ]) {
    expect(stderr).toContain(told);
  }
  expect(stderr).not.toContain('    at ');
});

test('a credential may be named WAYBILL_… when a destination asks for it', async () => {
  const config = { destinations: { sms: { baseUrl: 'http://x', auth: { header: 'x-key', env: 'WAYBILL_SMS_KEY' } } } };
  const cwd = await folderWith({ 'waybill.config.json': JSON.stringify(config) });
  const env = { WAYBILL_SMS_KEY: 'a', WAYBILL_SMS_KEY_FILE: 'b' };
  expect(Object.keys((await loadConfig({ cwd, env }, {})).destinations)).toEqual(['sms']);
});

test.each([
  ['missing.json', undefined, 'missing.json cannot be read: there is no such file'],
  ['broken.json', '{"redis": nonsense-secret}', 'broken.json cannot be read: it is not JSON'],
  ['empty.mjs', 'export const a = 1;', 'empty.mjs cannot be read: it has no default export'],
  ['broken.ts', 'throw new Error("by hand")', 'broken.ts cannot be read: by hand'],
  ['config.yaml', 'a: 1', 'config.yaml cannot be read: its name must end in .ts, .mjs or .json'],
])('a configuration that cannot be read is named with the reason: %s', async (name, text, told) => {
  const cwd = await folderWith(text === undefined ? {} : { [name]: text });
  const { code, stderr } = await runCli(['status', '--config', name], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain(told);
  expect(stderr).not.toContain('secret');
});

test('two configuration files side by side are refused', async () => {
  const cwd = await folderWith({ 'waybill.config.mjs': 'export default {}', 'waybill.config.json': '{}' });
  await expect(loadConfig({ cwd, env: {} }, {})).rejects.toThrow(
    'waybill.config.mjs and waybill.config.json stand side by side',
  );
});

test('a password of Redis is read from REDIS_URL or the file that REDIS_URL_FILE names, and never printed', async () => {
  const url = 'redis://user:s3cret-pw@127.0.0.1:1';
  const cwd = await folderWith({ url: `${url}\n`, 'waybill.config.json': JSON.stringify({ redis: { url } }) });
  const empty = await emptyFolder();
  expect((await loadConfig({ cwd: empty, env: { REDIS_URL_FILE: join(cwd, 'url') } }, {})).redis.url).toBe(url);
  const ends = await Promise.all([
    runCli(['status'], { env: { REDIS_URL: url } }),
    runCli(['status', '--redis', url]),
    runCli(['status', '--redis', url.replace('redis:', 'http:')]),
    runCli(['status'], { cwd }),
    runCli(['enqueue', 'sms'], { env: { REDIS_URL: url }, input: '{"method":"POST","path":"/v1/x"}\n' }),
  ]);
  expect(ends.map(({ code }) => code)).toEqual([3, 3, 2, 2, 3]);
  for (const { stdout, stderr } of ends) expect(stdout + stderr).not.toContain('s3cret');
  expect(ends[0]?.stderr).toContain('waybill: QUEUE_UNAVAILABLE: Redis at 127.0.0.1:1 cannot be reached');
});

test.each([
  [['statsu'], "unknown command 'statsu'"],
  [['status', '--nope'], "unknown option '--nope'"],
  [['find'], "missing required argument 'id'"],
  [['status', '-o', 'yaml'], 'Allowed choices are table, json, ndjson'],
  [['dead-letters', 'list', '--limit', '1e9'], 'It must be a whole number from 1 to 10000'],
  [['sandbox', '--fault', '503'], '--fault must be NAME=RATE'],
  [['sandbox', '--fault', '503=2', '--fault', 'wat=0.1'], "a name in faults is 'wat'"],
  [['worker', '-o', 'json'], '-o json is not for this command: its log is its data'],
  [['-o', 'table', 'sandbox'], '-o table is not for this command'],
  [['dev', '-o', 'json'], '-o json is not for this command'],
  [['dev', '--config', 'x.json'], 'dev writes a configuration of its own'],
])('wrong usage ends with 2 and one clear message: %j', async (args, told) => {
  const { code, stdout, stderr } = await runCli(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^waybill: USAGE: /);
  expect(stderr).toContain(told);
});

test('--help and --version are answers, on standard output', async () => {
  const help = await runCli(['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('dead-letters');
  expect(help.stdout).toContain('Exit codes:');
  for (const name of ['REDIS_URL_FILE', 'WAYBILL_CONFIG', 'WAYBILL_DEBUG']) expect(help.stdout).toContain(name);
  expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('a worker without any destination says where it looked for a configuration', async () => {
  const { code, stderr } = await runCli(['worker']);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /no destination is configured: write waybill\.config\.ts, \.mjs or \.json in .+, or give --config FILE/,
  );
});

test('a TypeScript configuration in a folder that is no module says what to do', async () => {
  const cwd = await folderWith({
    'package.json': '{"type":"commonjs"}',
    'waybill.config.ts': 'export default { destinations: {} };\n',
  });
  const { code, stderr } = await runCli(['status'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('set "type": "module" there');
});
