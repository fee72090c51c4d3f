// Credentials: read once at start-up from the environment, or from the file that `<NAME>_FILE` names, and from
// nowhere else. Every missing one is named at once.
import { readFileSync } from 'node:fs';
import type { Config } from '../core/config.ts';
import { credentialFault, secretOfFile } from '../core/credential.ts';
import { WaybillError } from '../core/errors.ts';
import type { Target } from './request.ts';

export type Env = Record<string, string | undefined>;

/** @returns the value of `name`, or of the file that `<name>_FILE` names without its last line break; undefined for neither */
export function readSecret(name: string, env: Env): string | undefined {
  if (env[name] !== undefined) return env[name];
  const file = env[`${name}_FILE`];
  if (file === undefined) return undefined;
  try {
    return secretOfFile(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new WaybillError('INVALID_CONFIG', `${name}_FILE: cannot be read (${code})`);
  }
}

/**
 * The destinations a worker serves, with their credentials.
 * @throws WaybillError INVALID_CONFIG naming everything that is missing or unusable, never a value
 */
export function readCredentials(config: Config, only: readonly string[] | undefined, env: Env): Target[] {
  const names = only ?? Object.keys(config.destinations);
  const configured = Object.keys(config.destinations).join(', ') || 'none';
  const wrong: string[] = [];
  if (names.length === 0) wrong.push('destinations: at least one is needed, so that the worker has something to serve');
  const targets = names.flatMap((name): Target[] => {
    const destination = config.destinations[name];
    if (!destination) {
      wrong.push(`destinations.${name}: is not configured; configured are ${configured}`);
      return [];
    }
    const { auth } = destination;
    if (!auth) return [{ name, config: destination }];
    const at = `destinations.${name}.auth.env`;
    let secret: string | undefined;
    try {
      secret = readSecret(auth.env, env);
    } catch (error) {
      wrong.push(`${at}: ${(error as Error).message}`);
      return [];
    }
    const fault = secret === undefined ? undefined : credentialFault(secret);
    if (secret === undefined) wrong.push(`${at}: ${auth.env} is not set; set it, or ${auth.env}_FILE`);
    else if (fault !== undefined) wrong.push(`${at}: the value of ${auth.env} ${fault}`);
    return [{ name, config: destination, credential: auth.prefix + (secret ?? '') }];
  });
  if (wrong.length > 0)
    throw new WaybillError(
      'INVALID_CONFIG',
      `${wrong.length} wrong value(s) in the configuration:\n  ${wrong.join('\n  ')}`,
    );
  return targets;
}
