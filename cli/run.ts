// What the executable runs. It alone touches `process`: its environment, streams, signals and end are handed to
// everything else.
import { fileURLToPath } from 'node:url';
import { codeOf } from '../core/outcome.ts';
import { EXIT, explainError } from './exit-codes.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';
import { listenForStop } from './signals.ts';

// A reader or a terminal that is gone must end neither an enqueue half way nor a worker that drains.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  untilStopped: () => listenForStop(process),
  endWithReader: () => void process.stdout.on('error', endOfOutput),
  tellParent: (message) => void (process.connected && process.send?.(message)),
  self: {
    program: process.execPath,
    file: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url)),
  },
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

/** A reader that has enough (`| head`) ends a reading command quietly; a full disk is no reader that has enough. */
function endOfOutput(error: Error): void {
  const code = codeOf(error);
  if (code === 'EPIPE') process.exit(EXIT.ok);
  process.stderr.write(`waybill: FAILED: standard output cannot be written (${code})\n`, () =>
    process.exit(EXIT.failed),
  );
}
