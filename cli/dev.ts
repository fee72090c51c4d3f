// waybill dev: everything on this machine, with a demo to watch.
import { createWriteStream } from 'node:fs';
import { extname } from 'node:path';
import { WaybillError } from '../core/errors.ts';
import { type RunningDashboard, startDashboard } from '../dashboard/index.ts';
import { type DemoSetup, runDemo } from '../dev/demo/run.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import { refuseOutput } from './output.ts';
import { type GlobalFlags, givenRedis } from './settings.ts';

export async function dev(io: Io, flags: GlobalFlags): Promise<ExitCode> {
  if (flags.config !== undefined)
    throw new CliError(
      'USAGE',
      'dev writes a configuration of its own (.waybill/waybill.config.json); --config is for the other commands',
    );
  refuseOutput(flags.output, 'it tells a story, on standard error');
  const stopping = io.untilStopped();
  const { forced } = await runDemo({
    cwd: io.cwd,
    env: io.env,
    redis: givenRedis(io, flags),
    command: [io.self.program, io.self.file],
    // As a person types it here: in a checkout the CLI is a TypeScript file.
    typed: extname(io.self.file) === '.ts' ? 'npm run -s waybill --' : 'npx waybill',
    openDashboard: (setup) => openDashboard(io, setup),
    stream: io.stderr as NodeJS.WritableStream,
    say: (line) => say(io, line),
    ...stopping,
  });
  return forced ? EXIT.interrupted : EXIT.ok;
}

/** On its usual port, or on a free one where that is taken; open to this machine, and marked as the demo's. */
async function openDashboard(io: Io, { redis, destinations, logFile }: DemoSetup): Promise<RunningDashboard> {
  const logTo = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  logTo.on('error', () => {}); // a full disk costs lines, and not the demo
  const start = (settings: { port?: number }): Promise<RunningDashboard> =>
    startDashboard(
      { destinations, dashboard: { environment: 'demo', ...settings } },
      // No token of the user's own dashboard: whoever runs the demo is there.
      { connection: redis, env: {}, logTo, ...(io.env.WAYBILL_OPERATOR && { localName: io.env.WAYBILL_OPERATOR }) },
    );
  return start({}).catch((error: unknown) => {
    if (error instanceof WaybillError && error.code === 'INVALID_CONFIG') return start({ port: 0 });
    throw error;
  });
}
