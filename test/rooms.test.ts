// Which room may import which (ARCHITECTURE.md) is held by the linter; here the rule is seen to fire.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function lint(file: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-rooms-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const run = promisify(execFile)(process.execPath, [oxlint, '-f', 'unix'], { cwd: folder });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test.each([
  ['core/x.ts', '../queue/keys.ts'],
  ['core/x.ts', 'bullmq'],
  ['core/deep/x.ts', '../../worker/index.ts'],
  ['queue/x.ts', '../worker/index.ts'],
  ['queue/x.ts', 'undici'],
  ['queue/x.ts', '../producer/index.ts'],
  ['producer/x.ts', '../worker/index.ts'],
  ['producer/x.ts', 'bullmq'],
  ['worker/x.ts', '../producer/index.ts'],
  ['worker/x.ts', '../cli/main.ts'],
  ['worker/x.ts', '../dev/testing.ts'],
  ['worker/x.ts', 'bullmq'],
  ['dev/x.ts', '../cli/main.ts'],
  ['cli/x.ts', 'undici'],
  ['cli/x.ts', 'pino'],
  ['cli/x.ts', '../queue/settle.ts'],
  ['cli/x.ts', '../worker/process.ts'],
  ['dev/x.ts', '../queue/backend.ts'],
  ['core/x.ts', 'waybill/worker'],
  ['core/x.ts', '../test/support/world.ts'],
  ['core/x.ts', 'node:fs'],
  ['worker/x.ts', '../examples/fastify-app/app.ts'],
  ['examples/mine/x.ts', '../../producer/index.ts'],
  ['examples/mine/x.ts', '../fastify-app/app.ts'],
  ['dashboard/x.ts', '../worker/index.ts'],
  ['dashboard/x.ts', '../producer/index.ts'],
  ['dashboard/api/x.ts', '../../cli/io.ts'],
  ['dashboard/api/x.ts', '../../dev/testing.ts'],
  ['dashboard/api/x.ts', 'bullmq'],
  ['dashboard/web/src/x.ts', '../../../queue/keys.ts'],
  ['dashboard/web/src/x.tsx', '../../../queue/keys.ts'],
  ['dashboard/web/src/x.ts', '../../api/contract/letters.ts'],
  ['dashboard/web/src/x.ts', 'zod'],
  ['dashboard/web/src/x.ts', 'node:fs'],
  ['bench/x.ts', '../worker/process.ts'],
  ['bench/x.ts', '../queue/settle.ts'],
  ['bench/x.ts', '../cli/program.ts'],
])('%s must not import %s', async (file, imported) =>
  expect(await lint(file, `import { x } from '${imported}';\nexport const y = x;\n`)).toContain(
    'no-restricted-imports',
  ),
);

test.each([
  ['queue/x.ts', '../core/write.ts'],
  ['producer/x.ts', '../queue/write-queue.ts'],
  ['worker/x.ts', '../queue/consumer.ts'],
  ['worker/x.ts', 'undici'],
  ['cli/x.ts', '../worker/index.ts'],
  ['cli/x.ts', '../queue/find.ts'],
  ['cli/x.ts', '../core/write.ts'],
  ['dashboard/api/x.ts', '../../queue/reader.ts'],
  ['dashboard/api/x.ts', 'fastify'],
  ['dashboard/web/src/x.ts', '../../api/contract/routes.ts'],
  ['dashboard/web/src/x.ts', '../../../core/role.ts'],
  ['examples/mine/x.ts', 'waybill/worker'],
  ['examples/mine/x.ts', './y.ts'],
  ['bench/x.ts', '../worker/index.ts'],
  ['bench/x.ts', '../dev/testing.ts'],
  ['bench/x.ts', '../queue/status.ts'],
])('%s may import %s', async (file, imported) =>
  expect(await lint(file, `import { x } from '${imported}';\nexport const y = x;\n`)).not.toContain(
    'no-restricted-imports',
  ),
);

test('the page may take the types of the contract', async () =>
  expect(
    await lint(
      'dashboard/web/src/x.ts',
      "import type { X } from '../../api/contract/letters.ts';\nexport const y = (x: X): X => x;\n",
    ),
  ).not.toContain('no-restricted-imports'));

test.each([
  ['core/x.ts', 'Date.now()'],
  ['core/x.ts', 'Math.random()'],
  ['core/x.ts', 'process.env.X'],
  ['queue/x.ts', 'process.env.X'],
  ['worker/process.ts', 'process.exit(1)'],
  ['producer/x.ts', "process.on('SIGTERM', f)"],
  ['dashboard/api/x.ts', 'process.env.X'],
])('%s must not say %s', async (file, said) =>
  expect(await lint(file, `declare const f: () => void;\nexport const y = [f, ${said}];\n`)).toContain(
    'no-restricted-properties',
  ),
);

test('no lock file carries a download address, and .ci/run calls the test command of the README', async () => {
  for (const lock of ['package-lock.json', 'test/mutation/package-lock.json'])
    expect(await readFile(join(ROOT, lock), 'utf8')).not.toContain('"resolved"');
  expect(await readFile(join(ROOT, '.ci/run'), 'utf8')).toContain('npm ci && npm test\n');
  expect(await readFile(join(ROOT, 'README.md'), 'utf8')).toContain('npm ci && npm test');
});
