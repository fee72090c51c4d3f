import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { complete } from '../../cli/completion.ts';
import type { Io } from '../../cli/io.ts';
import { LOG_LEVELS } from '../../core/log-levels.ts';
import { buildProgram } from '../../cli/program.ts';
import { emptyFolder, MAIN, runCli } from './run-cli.ts';

const CONFIG = { destinations: { sms: { baseUrl: 'http://127.0.0.1:1' }, crm: {}, 'sms-bulk': {} } };

async function folder(): Promise<string> {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'waybill.config.json'), JSON.stringify(CONFIG));
  await writeFile(join(cwd, 'other.json'), '{"destinations":{"fax":{}}}');
  await writeFile(join(cwd, 'broken.json'), '{');
  await mkdir(join(cwd, 'bodies of two words'));
  return cwd;
}

/** The values that are offered for the words behind `waybill`, the last one being typed. */
async function offered(cwd: string, ...words: string[]): Promise<string[]> {
  const stdout = new PassThrough();
  const io = { stdout, cwd, env: {} } as unknown as Io;
  await complete(
    io,
    buildProgram(io, () => {}),
    words,
  );
  stdout.end();
  const lines = (await text(stdout)).split('\n').filter(Boolean);
  return lines.map((line) => line.replace(/\t.*/, ''));
}

test('commands, flags and choices come from the program itself', async () => {
  const cwd = await folder();
  expect(await offered(cwd, 'doc')).toEqual(['doctor']);
  expect(await offered(cwd, '')).toEqual(expect.arrayContaining(['enqueue', 'doctor', 'completion', 'help']));
  expect(await offered(cwd, '')).not.toContain('complete');
  expect(await offered(cwd, 'dead-letters', 'li')).toEqual(['list']);
  expect(await offered(cwd, 'enqueue', 'sms', '--body')).toEqual(['--body', '--body-file']);
  expect(await offered(cwd, 'enqueue', '--conf')).toEqual(['--config']);
  expect(await offered(cwd, '-o', '')).toEqual(['table', 'json', 'ndjson']);
  expect(await offered(cwd, 'status', '--output', 'nd')).toEqual(['ndjson']);
  expect(await offered(cwd, 'status', '--output=t')).toEqual(['--output=table']);
  // As bash splits it.
  expect(await offered(cwd, 'status', '--output', '=', 'j')).toEqual(['json']);
  expect(await offered(cwd, 'status', '--output', '=')).toEqual(['table', 'json', 'ndjson']);
  expect(await offered(cwd, 'worker', '--log-level', '')).toEqual([...LOG_LEVELS]);
  expect(await offered(cwd, 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
});

test('destinations come from the configuration file that the line names, and from no other', async () => {
  const cwd = await folder();
  expect(await offered(cwd, 'enqueue', '')).toEqual(['crm', 'sms', 'sms-bulk']);
  expect(await offered(cwd, 'status', '--destination', 'sms-')).toEqual(['sms-bulk']);
  expect(await offered(cwd, 'worker', '--destinations', 'sms,c')).toEqual(['sms,crm']);
  expect(await offered(cwd, 'worker', '--destinations', 'sms,')).toEqual(['sms,crm', 'sms,sms-bulk']);
  expect(await offered(cwd, 'worker', '--destinations=sms,crm,')).toEqual(['--destinations=sms,crm,sms-bulk']);
  expect(await offered(cwd, '--config', 'other.json', 'enqueue', '')).toEqual(['fax']);
  expect(await offered(cwd, 'enqueue', '--config=other.json', 'f')).toEqual(['fax']);
  for (const none of ['broken.json', 'missing.json']) {
    expect(await offered(cwd, '--config', none, 'enqueue', '')).toEqual([]);
  }
});

test('files are left to the shell, and where anything may stand nothing is offered', async () => {
  const cwd = await folder();
  expect(await offered(cwd, 'enqueue', 'sms', '--body-file', 'b')).toEqual([':files']);
  expect(await offered(cwd, '--config', '')).toEqual([':files']);
  expect(await offered(cwd, 'find', '')).toEqual([]);
  expect(await offered(cwd, 'find', '--', '-')).toEqual([]);
  expect(await offered(cwd, 'enqueue', 'sms', '--key', '')).toEqual([]);
  expect(await offered(cwd, 'enqueue', 'sms', '')).toEqual([]);
  expect(await offered(cwd, 'no-such-command', '')).toEqual([]);
});

test('a script is data: alone on standard output, for the shells there are', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await runCli(['completion', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('waybill complete -- ');
  }
  expect(await runCli(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' });
});

const hasBash = spawnSync('bash', ['--version']).status === 0;

test.skipIf(!hasBash)('in a real bash a Tab completes, and runs nothing that was typed', async () => {
  const cwd = await folder();
  const bin = join(cwd, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'waybill'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await chmod(join(bin, 'waybill'), 0o755);
  const script = `
    eval "$(waybill completion bash)"
    press() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _waybill; printf '%s|' "\${COMPREPLY[@]}"; echo; }
    press waybill stat
    press waybill enqueue s
    press waybill status --output = js
    press waybill enqueue sms --body '"$(touch pwned)"' --prio
    press waybill enqueue sms --body-file bodi
    complete -p waybill; [ -e pwned ] && echo pwned`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', `${script}; true`], {
    cwd,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  expect(stderr).not.toMatch(/not found|syntax error/);
  expect(stdout.split('\n')).toEqual([
    'status|',
    'sms|sms-bulk|',
    'json|',
    '--priority|',
    'bodies of two words|',
    'complete -F _waybill waybill',
    '',
  ]);
});
