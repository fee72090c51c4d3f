// The curl command is pasted into a shell: whatever a write says, it is nothing but text there.
import { execFile } from 'node:child_process';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../core/config.ts';
import { bodyText, type Write } from '../../core/write.ts';
import { curlOf } from '../../dashboard/api/shown/curl.ts';
import { config, MASKED } from './shown-letter.ts';

/** Runs the command in a shell whose curl only prints what it was given. */
async function wordsOf(command: string): Promise<string[]> {
  const script = `curl() { for word; do printf '%s\\0' "$word"; done; }\n${command}\n`;
  const env = { SMS_KEY: 'a $(secret) "key"', BASE_URL: 'http://base', BODY: 'given', PATH: process.env.PATH ?? '' };
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { env });
  return stdout.split('\0').slice(0, -1);
}

const write = (more: Partial<Write> = {}): Write => ({ method: 'POST', path: '/v1/x', idempotencyKey: 'k', ...more });
const HOSTILE = [
  `'; echo gone; '`,
  '$(echo gone)',
  '`echo gone`',
  '"',
  '\\',
  "'\\''",
  '!!',
  '-o /tmp/x',
  '@/etc/passwd',
  '%00',
  '\n',
];
const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'grapheme' }));

test('whatever path, headers, key and body say, the shell gives them to curl as they are', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(hostile, { minLength: 4, maxLength: 4 }),
      async ([path = '', value = '', key = '', said = '']) => {
        const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/g, '').trim();
        const body = bodyText({ said }) ?? '';
        const given = write({
          path: `/${ascii(path)}`,
          headers: { 'x-a': ascii(value) },
          idempotencyKey: ascii(key),
          body,
        });
        const words = await wordsOf(curlOf(given, 'sms', config({})));
        expect(words).toHaveLength(18);
        expect(words[5]).toBe(`https://api.example/base/${ascii(path)}`);
        expect(words).toContain(ascii(value) === '' ? 'x-a;' : `x-a: ${ascii(value)}`);
        expect(words).toContain(ascii(key) === '' ? 'Idempotency-Key;' : `Idempotency-Key: ${ascii(key)}`);
        expect(words).toContain('authorization: Bearer a $(secret) "key"');
        expect(JSON.parse(words.at(-1) ?? '')).toEqual({ said });
      },
    ),
    { numRuns: 60 },
  ));

test('it carries masks, variables for what is not known, and never a credential', async () => {
  const masked = curlOf(
    write({ headers: { 'x-signature': 'secret' }, body: '{"card":{"number":"4111"}}' }),
    'sms',
    MASKED,
  );
  expect(masked).not.toMatch(/secret|4111/);
  expect(masked).toContain('"$SMS_KEY"');
  const words = await wordsOf(curlOf(write({ body: '{"a":1}' }), 'other', config()));
  expect(words).toContain('http://base/v1/x');
  expect(words.slice(-2)).toEqual(['--data-raw', 'given']);
  expect(await wordsOf(curlOf(write(), 'sms', config({})))).not.toContain('--data-raw');
  expect(curlOf(write({ body: JSON.stringify('x'.repeat(200_000)) }), 'sms', config({}))).toContain(
    "--data-binary '@body.json'",
  );
});

test('what a terminal would obey stands in it as an escape of JSON, and headers that are none are left out', async () => {
  const command = curlOf(
    write({ headers: { '@/etc/passwd': 'x' }, body: '{"a":"\u202e\u009b\u{e0001}"}' }),
    'sms',
    config({}),
  );
  expect(command).toContain(String.raw`{"a":"\u202e\u009b\udb40\udc01"}`);
  expect(command).not.toContain('passwd');
  expect(curlOf(write({ path: '/a\u001b[2J' }), 'sms', config({}))).not.toContain('\u001b');
});

const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
);

test.skipIf(!hasCurl)('curl sends what the write says', async () => {
  let got: { url: string | undefined; headers: IncomingHttpHeaders; body: string } | undefined;
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      got = { url: request.url, headers: request.headers, body: body.toString() };
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const known = resolveConfig({
    destinations: { sms: { baseUrl: `http://127.0.0.1:${port}/base`, auth: { header: 'x-api-key', env: 'SMS_KEY' } } },
  });
  const body = `{"a":"it's $HOME & \\"more\\"","id":12345678901234567890}`;
  const command = curlOf(write({ path: '/v1/{x}/[1-3]?q=%27', headers: { 'x-a': "b'c" }, body }), 'sms', known);
  await promisify(execFile)('sh', ['-c', command], {
    env: { SMS_KEY: 'the key', PATH: process.env.PATH ?? '', NO_PROXY: '*' },
  });
  expect(got).toMatchObject({
    url: '/base/v1/{x}/[1-3]?q=%27',
    headers: { 'x-a': "b'c", 'x-api-key': 'the key', 'idempotency-key': 'k', 'content-type': 'application/json' },
    body,
  });
});
