// waybill dashboard: dead letters in a browser, until it is told to stop. Its log is its data, on standard output; where
// it is stands on standard error.
import { startDashboard } from '../dashboard/index.ts';
import { whenAborted } from '../dev/demo/when-aborted.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import { refuseOutput } from './output.ts';
import { type GlobalFlags, loadConfig } from './settings.ts';

interface DashboardFlags extends GlobalFlags {
  host?: string;
  port?: number;
  base?: string;
  logLevel?: string;
}

export async function dashboard(io: Io, flags: DashboardFlags): Promise<ExitCode> {
  refuseOutput(flags.output, 'its log is its data, a JSON object a line');
  const { asked, force } = io.untilStopped();
  const config = await loadConfig(io, flags);
  const running = await startDashboard(
    { ...config, redis: {} },
    {
      // Apart from the configuration, as a worker is given it.
      connection: config.redis,
      env: io.env,
      ...(flags.base !== undefined && { base: flags.base }),
      ...(io.env.WAYBILL_OPERATOR && { localName: io.env.WAYBILL_OPERATOR }),
    },
  );
  say(io, `the dashboard is at ${running.url}${running.signIn === 'none' ? ', open to this machine alone' : ''}`);
  io.tellParent('dashboard started');
  await whenAborted(asked);
  await Promise.race([running.stop(), whenAborted(force)]);
  return force.aborted ? EXIT.interrupted : EXIT.ok;
}
