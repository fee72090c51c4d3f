// The package as users get it: packed, installed in an empty folder, and used from there on Node 22 and 24. What an
// application does there stands in README.md, in the code blocks under a comment that names this file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { run } from '../dev/redis/command.ts';
import { npm, plainEnvironment, ROOT } from './support/checkout.ts';
import { type Installed, installPackage, NODE_22_PACKAGE } from './support/installed.ts';
import { cleanUp, freshDestination, redisUrl } from './support/redis.ts';
import { eventually } from './support/world.ts';

const INSTALL_LIMIT_MS = 240_000;
const COMMAND_LIMIT_MS = 20_000;
const MARKED_BLOCK = /<!-- test\/package\.test\.ts: (\S+) -->\n```\w+\n(.*?)```/gs;
const ENTRIES = {
  waybill: 'producer/index',
  'waybill/worker': 'worker/index',
  'waybill/dashboard': 'dashboard/index',
  'waybill/testing': 'dev/testing',
};
/** The page, as it was built. */
const PAGE = /^dist\/dashboard\/page\//;

let installed: Installed;
beforeAll(async () => {
  installed = await installPackage();
}, INSTALL_LIMIT_MS);
afterAll(() => installed?.remove());

/** Runs a program in the application's folder. */
const inApp = (command: string, args: string[], env: NodeJS.ProcessEnv = plainEnvironment()) =>
  run(command, args, { cwd: installed.app, env, limitMs: COMMAND_LIMIT_MS });

test('the tarball holds the built package and its papers, no tests, no sources and no source maps', async () => {
  const papers = ['ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
  const docs = installed.files.filter((file) => file.startsWith('docs/'));
  expect(docs.filter((file) => !/^docs\/(?:.*\.md|images\/[\w-]+\.png)$/.test(file))).toEqual([]);
  expect(docs).toContain('docs/reference/configuration.md');
  expect(installed.files.filter((file) => !/^(dist|docs)\//.test(file)).toSorted()).toEqual(papers);
  const built = installed.files.filter((file) => file.startsWith('dist/'));
  expect(
    built.filter(
      (file) =>
        !PAGE.test(file) && !/^dist\/(?:core|queue|producer|worker|dashboard|cli|dev)\/.*\.(?:js|d\.ts)$/.test(file),
    ),
  ).toEqual([]);
  const page = built.filter((file) => PAGE.test(file)).map((file) => file.replace(PAGE, ''));
  expect(page).toContain('index.html');
  for (const kind of ['js', 'js.br', 'js.gz', 'css', 'css.br', 'css.gz'])
    expect(
      page.some((file) => file.startsWith('assets/') && file.endsWith(`.${kind}`)),
      kind,
    ).toBe(true);
  for (const entry of Object.values(ENTRIES)) expect(built).toContain(`dist/${entry}.js`);
  for (const file of built) {
    expect(await readFile(join(installed.app, 'node_modules/waybill', file), 'utf8')).not.toContain('sourceMappingURL');
  }
});

test('publint finds nothing to say about the tarball', async () => {
  const { buffer, byteOffset, byteLength } = installed.tarball;
  const tarball = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  expect((await publint({ pack: { tarball }, strict: true })).messages).toEqual([]);
});

test('the installed dashboard serves its page and its API', async () => {
  const { startDashboard } = await installed.load<typeof import('../dashboard/index.ts')>('waybill/dashboard');
  const running = await startDashboard(
    { redis: { url: redisUrl() }, dashboard: { port: 0 } },
    { env: {}, logTo: { write: () => {} } },
  );
  onTestFinished(() => running.stop());
  const [page, script] = await Promise.all([
    fetch(running.url).then((answer) => answer.text()),
    fetch(`${running.url}api/session`).then((answer) => answer.json()),
  ]);
  const { version }: { version: string } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  expect(script).toMatchObject({ signIn: 'none', version });
  const [, asset = ''] = /src="\.\/(assets\/[^"]+\.js)"/.exec(page) ?? [];
  expect((await fetch(running.url + asset)).status).toBe(200);
});

test('npx waybill answers with its version and its help', async () => {
  const { version }: { version: string } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const [said, help] = await Promise.all(
    ['--version', '--help'].map((flag) => npm(['exec', '--no', '--', 'waybill', flag], installed.app)),
  );
  expect(said?.trim()).toBe(version);
  expect(help).toContain('Usage: waybill');
});

test.for([
  [`Node ${process.versions.node.split('.')[0]}`, () => dirname(process.execPath), true],
  ['Node 22', () => installed.node22, NODE_22_PACKAGE !== undefined],
] as const)(
  'the example of the README delivers its write, applied once, on %s',
  { timeout: 3 * COMMAND_LIMIT_MS },
  async ([name, nodeFolder, isThere], { skip }) => {
    skip(!isThere, `no npm package holds ${name} for ${process.platform} ${process.arch}`);
    const destination = freshDestination('readme');
    onTestFinished(() => cleanUp([destination]));
    const { createSandbox, assertAppliedOnce } =
      await installed.load<typeof import('../dev/testing.ts')>('waybill/testing');
    const sandbox = await createSandbox();
    onTestFinished(() => sandbox.close());
    await layOutReadme(destination, sandbox.url);
    const waybill = join(installed.app, 'node_modules/.bin/waybill');
    const path = [nodeFolder(), process.env.PATH].join(delimiter); // the executable asks for `node` by name
    const env = plainEnvironment({ PATH: path, REDIS_URL: redisUrl(), SMS_API_KEY: 'sandbox-key' });

    const worker = spawn(waybill, ['worker'], { cwd: installed.app, env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void worker.kill('SIGKILL'));
    let log = '';
    worker.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
    const ended = once(worker, 'close');
    expect(`Node ${await inApp('node', ['-p', 'process.versions.node'], env)}`).toContain(`${name}.`);
    await inApp('node', ['app.ts'], env);
    await eventually(() => expect(log).toContain('"disposition":"delivered"'), COMMAND_LIMIT_MS);
    worker.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);

    const [key = ''] = Object.keys(sandbox.ledger().keys);
    await assertAppliedOnce(sandbox, key);
    const [found]: unknown[] = JSON.parse(await inApp(waybill, ['find', key, '-o', 'json'], env));
    expect(found).toMatchObject({ destination, state: 'delivered', verdict: 'applied-once' });
  },
);

/** The marked blocks of the README, with a destination of the test's own and the sandbox as its API. */
async function layOutReadme(destination: string, apiUrl: string): Promise<void> {
  const readme = await readFile(join(installed.app, 'node_modules/waybill/README.md'), 'utf8');
  const blocks = Array.from(readme.matchAll(MARKED_BLOCK), ([, file = '', text = '']) => [file, text] as const);
  expect(blocks.map(([file]) => file)).toEqual(['app.ts', 'waybill.config.json']);
  for (const [file, text] of blocks) {
    const adapted = text.replaceAll(/(?<=['"])sms(?=['"])/g, destination).replace('https://api.example.com', apiUrl);
    await writeFile(join(installed.app, file), adapted);
  }
}

test.for([
  ['nodenext', ['--module', 'nodenext']],
  ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
] as const)(
  'a file that uses every export compiles under --strict, resolved as %s, the declarations checked too',
  async ([, how]) => {
    const file = 'every-export.ts';
    await copyFile(join(ROOT, 'test/support', file), join(installed.app, file));
    const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node'];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    expect(await inApp(process.execPath, [tsc, '--strict', '--noEmit', ...how, ...types, file])).toBe('');
  },
);

test('the file that is compiled uses every export there is', async () => {
  const used = await readFile(join(ROOT, 'test/support/every-export.ts'), 'utf8');
  const exported: string[] = [];
  for (const entry of Object.values(ENTRIES)) {
    const declared = await readFile(join(installed.app, `node_modules/waybill/dist/${entry}.d.ts`), 'utf8');
    for (const [, list, name] of declared.matchAll(/^export (?:type )?(?:\{(.*?)\}|(?:declare )?\w+ (\w+))/gms)) {
      exported.push(...(name ?? list ?? '').split(',').map((each) => each.trim().replace(/^type |.* as /, '')));
    }
  }
  expect(exported).toContain('createQueue');
  expect(exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(used))).toEqual([]);
});

test('an application that enqueues loads nothing of the worker and of the command line', async () => {
  const loaded = await packagesLoadedBy(`await import('waybill')`);
  expect(loaded).toEqual(expect.arrayContaining(['waybill', 'bullmq', 'ioredis']));
  const ofOthers = /^(?:undici|pino|fastify|commander|@opentelemetry\/.*|@clack\/.*)$/;
  expect(loaded.filter((name) => ofOthers.test(name))).toEqual([]);
});

test('waybill/testing needs no Redis: a sandbox starts, is written to, answers for it, and lets the process end', async () => {
  const loaded = await packagesLoadedBy(`
    const { createSandbox, assertAppliedOnce } = await import('waybill/testing');
    const sandbox = await createSandbox();
    const headers = { 'content-type': 'application/json', 'x-api-key': 'sandbox-key', 'idempotency-key': 'one' };
    await fetch(sandbox.url + '/v1/profiles', { method: 'POST', headers, body: '{"phone_number":"+4512345678"}' });
    await assertAppliedOnce(sandbox, 'one');
    await sandbox.close();
  `);
  expect(loaded).toEqual(['waybill']);
});

/** The names of the packages that a program in the application's folder loads, in order. */
async function packagesLoadedBy(program: string): Promise<string[]> {
  const watched = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url) ?? [];
        if (name) loaded.add(name);
        return found;
      },
    });
    ${program}
    console.log(JSON.stringify([...loaded]));
  `;
  const names: string[] = JSON.parse(await inApp(process.execPath, ['--input-type=module', '--eval', watched]));
  return names;
}

test('nothing but the named entries can be imported', async () => {
  const program = `await import('waybill/dist/core/decide.js').catch((error) => console.log(error.code))`;
  const said = await inApp(process.execPath, ['--input-type=module', '--eval', program]);
  expect(said.trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
});
