// The documentation cannot rot: the reference is what the code says, links lead somewhere, tests that are named stand
// where they are said to stand, commands exist, and examples compile.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../core/config.ts';
import { theProgram } from '../docs/generator/commands.ts';
import { FOLDER, referencePages } from '../docs/generator/reference.ts';
import { withTables } from './chaos/report.ts';
import { readResults } from './chaos/results.ts';
import { commandsIn } from './support/shell-words.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = await readPages();

/** Text by path from the root. */
async function readPages(): Promise<Map<string, string>> {
  const inDocs = await readdir(join(ROOT, 'docs'), { recursive: true });
  const pages = inDocs.filter((file) => file.endsWith('.md')).map((file) => join('docs', file));
  const names = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', ...pages.toSorted()];
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(ROOT, name), 'utf8')] as const)),
  );
}

function* blocks(language: string): Generator<{ page: string; block: string }> {
  for (const [page, text] of PAGES) {
    for (const [, tag, block = ''] of text.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
      if (tag === language) yield { page, block };
    }
  }
}

test('the reference is what the code says; `npm run docs` writes it', async () => {
  for (const [name, text] of Object.entries(await referencePages())) {
    const committed = await readFile(new URL(name, FOLDER), 'utf8').catch(() => '');
    expect(committed === text, `docs/reference/${name} is out of date: npm run docs`).toBe(true);
  }
});

test('the figures of docs/reliability.md are those of the results file; `npm run chaos -- --report` writes them', async () => {
  const page = PAGES.get('docs/reliability.md') ?? '';
  expect(page === withTables(page, await readResults()), 'docs/reliability.md is out of date').toBe(true);
});

test('every link leads to a file, and to a heading where it names one', async () => {
  const broken: string[] = [];
  for (const [page, text] of PAGES) {
    const prose = text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
    for (const [, linked, shown = ''] of prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"\s]+)"/g)) {
      const target = linked ?? shown;
      if (/^\w+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#', 2);
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      // A folder cannot be read, and is there all the same.
      const found = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) =>
        code === 'EISDIR' ? '' : undefined,
      );
      if (found === undefined || (anchor !== undefined && !anchorsOf(found).has(anchor)))
        broken.push(`${page}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

/** `[…](../test/worker/kill.test.ts): "sentence", "sentence"` */
const NAMED_TESTS = /\]\(([^)\s]+\.test\.ts)\)((?:[:,] "[^"]+")*)/g;

test('every test that is named stands in its file', async () => {
  const missing: string[] = [];
  for (const [page, text] of PAGES) {
    for (const [, path = '', sentences = ''] of text.matchAll(NAMED_TESTS)) {
      const file = resolve(ROOT, dirname(page), path);
      const source = (await readFile(file, 'utf8').catch(() => '')).replaceAll("\\'", "'");
      for (const [, sentence = ''] of sentences.matchAll(/"([^"]+)"/g)) {
        if (!source.includes(sentence)) missing.push(`${page}: ${relative(ROOT, file)}: ${sentence}`);
      }
    }
  }
  expect(missing).toEqual([]);
});

test('every answer of the failure modes names a test', () => {
  const answers = (PAGES.get('docs/failure-modes.md') ?? '').split(/^### /m).slice(1);
  expect(answers.length).toBeGreaterThan(20);
  const unproven = answers.filter((answer) => !/\]\([^)\s]+\.test\.ts\): "/.test(answer));
  expect(unproven.map((answer) => answer.split('\n', 1)[0])).toEqual([]);
});

test('JSON parses, and a configuration in it is one', () => {
  for (const { page, block } of blocks('json')) {
    const read = (): unknown => {
      const value: unknown = JSON.parse(block);
      return block.includes('"baseUrl"') ? resolveConfig(value, [], page) : value;
    };
    expect(read, `${page}: ${block}`).not.toThrow();
  }
});

test('every command is one, with flags that it has', () => {
  for (const { page, block } of blocks('sh')) {
    for (const words of commandsIn(block)) {
      expect(() => parse(words), `${page}: waybill ${words.join(' ')}`).not.toThrow();
    }
  }
});

/** @throws CommanderError for a command, an argument or a flag that does not exist */
function parse(words: readonly string[]): void {
  const program = theProgram();
  const doNothing = (command: Command): void => {
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    command.commands.forEach(doNothing);
  };
  doNothing(program);
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if ((error as { exitCode?: number }).exitCode !== 0) throw error;
  }
}

/** Whose examples are whole; elsewhere they may be parts, which only have to parse. */
const WHOLE = /^(?:README|docs-guide-.*)\.md-/;
const SYNTAX_ERROR = /: error TS1\d{3}: /;

test('TypeScript compiles under --strict', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-docs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  let count = 0;
  for (const { page, block } of blocks('ts')) {
    count += 1;
    // Each is a module of its own, whatever it imports.
    await writeFile(join(folder, `${page.replaceAll('/', '-')}-${count}.mts`), `${block}\nexport {};\n`);
  }
  const entries = {
    waybill: 'producer/index.ts',
    'waybill/worker': 'worker/index.ts',
    'waybill/dashboard': 'dashboard/index.ts',
    'waybill/testing': 'dev/testing.ts',
    fastify: 'node_modules/fastify/fastify.d.ts',
  };
  const paths = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, [join(ROOT, file)]]));
  const compilerOptions = { rootDir: '/', paths, typeRoots: [join(ROOT, 'node_modules/@types')] };
  const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [join(folder, '*.mts')] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const said = await promisify(execFile)(process.execPath, [tsc, '-p', folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  const errors = said.split('\n').filter((line) => line.includes(': error '));
  expect(errors.filter((line) => WHOLE.test(line) || SYNTAX_ERROR.test(line))).toEqual([]);
});
