// waybill dev: everything on this machine, with a demo to watch.
import { extname } from 'node:path';
import { runDemo } from '../dev/demo/run.ts';
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
    stream: io.stderr as NodeJS.WritableStream,
    say: (line) => say(io, line),
    ...stopping,
  });
  return forced ? EXIT.interrupted : EXIT.ok;
}
