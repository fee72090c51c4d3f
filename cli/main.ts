#!/usr/bin/env node
// The executable. It alone knows process.env, signals and exit codes; everything else is given them.
import { fileURLToPath } from 'node:url';
import { EXIT, explainError } from './exit-codes.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';
import { listenForStop } from './signals.ts';

// `waybill dead-letters export | head`: the reader has what it wanted.
process.stdout.on('error', () => process.exit(EXIT.ok));
// A terminal that is gone must not end a worker that drains.
process.stderr.on('error', () => {});

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  untilStopped: () => listenForStop(process),
  tellParent: (message) => void (process.connected && process.send?.(message)),
  self: { program: process.execPath, file: fileURLToPath(import.meta.url) },
};

try {
  await buildProgram(io, (code) => (process.exitCode = code)).parseAsync();
} catch (error) {
  const { exit, said } = explainError(error);
  process.exitCode = exit;
  if (said !== undefined) process.stderr.write(`waybill: ${said}\n`);
  if (said !== undefined && process.env.WAYBILL_DEBUG)
    process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
}
