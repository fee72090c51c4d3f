// waybill worker: sends writes until it is told to stop. Its log is its data, on standard output.
import { whenAborted } from '../dev/demo/when-aborted.ts';
import { createWorker } from '../worker/index.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import { refuseOutput } from './output.ts';
import { type GlobalFlags, loadConfig } from './settings.ts';

interface WorkerFlags extends GlobalFlags {
  destinations?: string[];
  logLevel?: string;
  healthPort?: number;
}

export async function worker(io: Io, flags: WorkerFlags): Promise<ExitCode> {
  refuseOutput(flags.output, 'its log is its data, a JSON object a line');
  const { asked, force } = io.untilStopped();
  // Never the demo's Redis by accident: its writes would go to a real API.
  const config = await loadConfig(io, flags, { withDemo: false });
  if (Object.keys(config.destinations).length === 0) {
    throw new CliError(
      'USAGE',
      `no destination is configured: write waybill.config.ts, .mjs or .json in ${io.cwd}, or give --config FILE`,
    );
  }
  const running = await createWorker(
    { ...config, redis: {} },
    {
      // Given apart from the configuration: a password stands in nothing that is checked and talked about.
      connection: config.redis,
      env: io.env,
      ...(flags.destinations && { destinations: flags.destinations }),
    },
  );
  io.tellParent('worker started');
  await whenAborted(asked);
  const { forced } = await running.stop(force);
  if (!forced) return EXIT.ok;
  say(io, 'waybill: attempts in flight were cut off; their writes are taken again and lose no attempt');
  return force.aborted ? EXIT.interrupted : EXIT.failed;
}
