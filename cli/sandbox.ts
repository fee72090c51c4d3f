// waybill sandbox: the sandbox API as a program of its own. Its URL is its data; the ledger is read over HTTP.
import { whenAborted } from '../dev/demo/when-aborted.ts';
import { createSandboxOn } from '../dev/sandbox/server.ts';
import { createSandbox, type SandboxOptions } from '../dev/testing.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { type Io, say, write } from './io.ts';
import { refuseOutput } from './output.ts';
import type { GlobalFlags } from './settings.ts';

interface SandboxFlags extends GlobalFlags {
  port?: number;
  host?: string;
  apiKey?: string;
  seed?: number;
  fault: string[];
  latencyMs?: number;
  keyTtlMs?: number;
}

export async function sandbox(
  io: Io,
  { output, port, host, apiKey, seed, fault, latencyMs, keyTtlMs }: SandboxFlags,
): Promise<ExitCode> {
  refuseOutput(output, 'its URL is all it prints as data');
  const { asked } = io.untilStopped();
  const options: SandboxOptions = {
    faults: readFaults(fault),
    ...(port !== undefined && { port }),
    ...(apiKey !== undefined && { apiKey }),
    ...(seed !== undefined && { seed }),
    ...(latencyMs !== undefined && { latencyMs }),
    ...(keyTtlMs !== undefined && { keyTtlMs }),
  };
  const starting = host === undefined ? createSandbox(options) : createSandboxOn(host, options);
  const running = await starting.catch((error: unknown) => {
    throw new CliError(
      error instanceof RangeError ? 'USAGE' : 'FAILED',
      error instanceof Error ? error.message : String(error),
      error,
    );
  });
  await write(io.stdout, `${running.url}\n`);
  say(io, `x-api-key is ${apiKey === undefined ? 'sandbox-key' : 'the one you gave'}`);
  say(io, `what it really applied: curl ${running.url}/_sandbox/ledger (or ?key=KEY for one write)`);
  await whenAborted(asked);
  await running.close();
  return EXIT.ok;
}

/** `503=0.1`; a plan step's own name may hold a `=`, so the last one counts. The sandbox judges names and rates. */
function readFaults(given: readonly string[]): NonNullable<SandboxOptions['faults']> {
  const faults: Record<string, number> = {};
  for (const text of given) {
    const [, name, rate] = /^(.+)=(\d+(?:\.\d+)?|\.\d+)$/.exec(text) ?? [];
    if (name === undefined)
      throw new CliError('USAGE', `--fault must be NAME=RATE, such as 503=0.1, got ${JSON.stringify(text)}`);
    faults[name] = Number(rate);
  }
  return faults;
}
