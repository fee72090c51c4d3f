// What the fuzz looks for is found where it stands.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { formsOf } from './fuzz/echoes.ts';
import { finderOf, leaksIn } from './fuzz/hidden.ts';

const CREDENTIAL = 'chaos-credential-00-5e1f';
const ESCAPED = Array.from(CREDENTIAL, (one) => `\\\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

test('an echoed credential is found in each of its forms, in any case, escaped, and cut in two', () => {
  const holds = finderOf([CREDENTIAL]);
  for (const text of [...formsOf(CREDENTIAL), CREDENTIAL.toUpperCase(), ESCAPED, CREDENTIAL.slice(0, 12)])
    expect(holds(`before ${text} after`), text).toBe(true);
  for (const text of ['chaos-', '[redacted]', 'CHAOS_API_KEY']) expect(holds(text), text).toBe(false);
});

test('a credential between two pieces of a long file is found, and its file is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-chaos-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'clean.log'), 'x'.repeat(200_000));
  await writeFile(join(folder, 'leaking.aof'), `${'x'.repeat(65_530)}${CREDENTIAL}${'x'.repeat(70_000)}`);
  expect(await leaksIn(folder, finderOf([CREDENTIAL]))).toEqual([
    'leaking.aof holds a credential that the API has echoed',
  ]);
});
