// What the executable runs. It alone touches `process`: its environment, streams, signals and end are handed to
// everything else.
import { fileURLToPath } from 'node:url';
import { codeOf } from '../core/outcome.ts';
import { EXIT, explainError } from './exit-codes.ts';
import { hasAnswers, type Io } from './io.ts';
import { buildProgram } from './program.ts';
import { listenForStop } from './signals.ts';

/** Why standard output is not whole. A reader that has gone has what it wanted. */
let outputFault: string | undefined;
// A reader or a terminal that is gone must end neither an enqueue half way nor a worker that drains.
process.stdout.on('error', (error) => {
  const code = codeOf(error);
  if (code !== 'EPIPE') outputFault ??= code;
});
process.stderr.on('error', () => {});
// As late as can be: the last write may fail behind the command's end.
process.once('exit', () => {
  if (outputFault === undefined || !hasAnswers(process.stdout)) return;
  process.stderr.write(`waybill: FAILED: standard output cannot be written (${outputFault}): answers are lost\n`);
  process.exitCode ||= EXIT.failed;
});

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

/** For output that is still on its way. */
const LINGER_MS = 250;

const program = buildProgram(io, (code) => (process.exitCode = code));
program.on('option:no-color', () => {
  // As every library understands it; FORCE_COLOR would go over it.
  process.env.NO_COLOR = '1';
  delete process.env.FORCE_COLOR;
});
try {
  await program.parseAsync();
} catch (error) {
  const { exit, said } = explainError(error);
  process.exitCode = exit;
  if (said !== undefined) process.stderr.write(`waybill: ${said}\n`);
  if (said !== undefined && process.env.WAYBILL_DEBUG)
    process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
}

letGo();

/**
 * The command is over. Without work left Node ends before this timer; a driver may hold it up with the time limits of
 * commands that it dropped (ioredis 6, measured: 33 s after connections that died in their handshake).
 */
function letGo(): void {
  setTimeout(() => {
    if (process.stdout.writableLength + process.stderr.writableLength === 0) process.exit();
    letGo();
  }, LINGER_MS).unref();
}

/** A reader that has enough (`| head`) ends a reading command quietly; a full disk is no reader that has enough. */
function endOfOutput(error: Error): void {
  process.exit(codeOf(error) === 'EPIPE' ? EXIT.ok : EXIT.failed);
}
