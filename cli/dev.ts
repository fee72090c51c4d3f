// waybill dev: everything on this machine, with a demo to watch.
import { extname } from 'node:path';
import { runDemo } from '../dev/demo/run.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say } from './io.ts';
import { type GlobalFlags, loadConfig } from './settings.ts';

export async function dev(io: Io, flags: GlobalFlags): Promise<ExitCode> {
  if (flags.config !== undefined)
    throw new CliError(
      'USAGE',
      'dev writes a configuration of its own (.waybill/waybill.config.json); --config is for the other commands',
    );
  const stopping = io.untilStopped();
  const { forced } = await runDemo({
    cwd: io.cwd,
    env: io.env,
    redisUrl: await givenRedisUrl(io, flags),
    command: [io.self.program, io.self.file],
    // As a person types it here: in a checkout the CLI is a TypeScript file.
    typed: extname(io.self.file) === '.ts' ? 'npm run -s waybill --' : 'npx waybill',
    stream: io.stderr as NodeJS.WritableStream,
    say: (line) => say(io, line),
    ...stopping,
  });
  return forced ? EXIT.interrupted : EXIT.ok;
}

/** Of the flag or the environment alone, as the user said it; else undefined, and dev starts a server of its own. */
async function givenRedisUrl(io: Io, flags: GlobalFlags): Promise<string | undefined> {
  if (flags.redis === undefined && !io.env.REDIS_URL && !io.env.REDIS_URL_FILE) return undefined;
  const { redis } = await loadConfig({ ...io, env: { ...io.env, WAYBILL_CONFIG: undefined } }, flags);
  return redis.url;
}
