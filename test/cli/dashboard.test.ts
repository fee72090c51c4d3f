// waybill dashboard as a program: where it listens, who may come in, and how it ends.
import { expect, test } from 'vitest';
import { redisUrl } from '../support/redis.ts';
import { documents, startCli } from './run-cli.ts';

const TOKENS = 'ada:admin:admin-token-of-ada-0';

/** Its address, as it says it to a person. */
async function started(args: string[], env: Record<string, string> = {}) {
  const cli = await startCli(['dashboard', '--port', '0', ...args], { env: { REDIS_URL: redisUrl(), ...env } });
  await cli.says('the dashboard is at ');
  const [url = ''] = /http:\S+(?<!,)/.exec(cli.stderr()) ?? [];
  return { cli, url };
}

test('it says where it is, answers there, and ends at SIGTERM also while somebody listens', async () => {
  const { cli, url } = await started(['--base', '/ops'], { WAYBILL_OPERATOR: 'ada', WAYBILL_ENVIRONMENT: 'staging' });
  expect(cli.stderr()).toMatch(/the dashboard is at http:\/\/127\.0\.0\.1:\d+\/ops\/, open to this machine alone\n/);
  const session: unknown = await (await fetch(`${url}api/session`)).json();
  expect(session).toMatchObject({ user: { name: 'ada', role: 'admin' }, environment: 'staging' });
  const stream = await fetch(`${url}api/events`);
  cli.kill('SIGTERM');
  const { code, stdout } = await cli.ended;
  expect(code).toBe(0);
  await stream.text().catch(() => {}); // it has ended
  const lines = documents(stdout);
  expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['dashboard started', 'dashboard stopped']));
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'request', path: '/ops/api/session', user: 'ada' }));
});

test('its tokens come from the environment, and then it may be reached from elsewhere', async () => {
  const { cli, url } = await started(['--host', '0.0.0.0'], { WAYBILL_DASHBOARD_TOKENS: TOKENS });
  expect(cli.stderr()).not.toContain('open to this machine');
  const asked = await fetch(`${url.replace('0.0.0.0', '127.0.0.1')}api/overview`);
  expect(asked.status).toBe(401);
  expect(cli.stdout() + cli.stderr()).not.toContain('admin-token');
});

test.each([
  ['beyond loopback without a way to sign in', ['--host', '0.0.0.0'], {}, 'WAYBILL_DASHBOARD_TOKENS'],
  ['a port that is none', ['--port', '70000'], {}, '--port'],
  ['a base path that is none', ['--base', 'ops'], {}, 'base: must be a path such as /ops/waybill'],
  [
    'a list of tokens that cannot be read',
    [],
    { WAYBILL_DASHBOARD_TOKENS_FILE: '/nowhere' },
    'cannot be read (ENOENT)',
  ],
])('%s is refused with what to do, and exit code 2', async (_, args, env, words) => {
  const cli = await startCli(['dashboard', ...args], { env: { REDIS_URL: redisUrl(), ...env } });
  const { code, stderr } = await cli.ended;
  expect(stderr).toContain(words);
  expect(code).toBe(2);
});
