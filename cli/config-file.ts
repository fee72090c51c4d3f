// Finds and reads the configuration file. What is in it is judged by core/config.ts.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { printable } from '../core/envelope.ts';
import { WaybillError } from '../core/errors.ts';
import { codeOf } from '../core/outcome.ts';
import { withoutUserinfo } from '../core/redact.ts';

const NAMES = ['waybill.config.ts', 'waybill.config.mjs', 'waybill.config.json'];
const MAX_REASON = 300;

/** What Node says of a module in a folder whose package.json says "type": "commonjs". */
const NOT_A_MODULE = /outside a module|Unexpected token 'export'/;
const AS_A_MODULE =
  '. Its package.json makes it no module: set "type": "module" there, or write waybill.config.mjs in its place';

export interface ConfigFile {
  /** As messages name it. */
  name: string;
  value: unknown;
}

/**
 * The file that was named, or the one in the current directory, or undefined where there is none.
 * @throws WaybillError INVALID_CONFIG naming the file and why it cannot be read
 */
export async function readConfigFile(cwd: string, named: string | undefined): Promise<ConfigFile | undefined> {
  if (named !== undefined) return { name: named, value: await load(resolve(cwd, named), named) };
  const [name, ...others] = NAMES.filter((candidate) => existsSync(join(cwd, candidate)));
  if (name === undefined) return undefined;
  if (others.length > 0) {
    throw new WaybillError(
      'INVALID_CONFIG',
      `${[name, ...others].join(' and ')} stand side by side: keep one, or name one with --config`,
    );
  }
  return { name, value: await load(join(cwd, name), name) };
}

async function load(path: string, name: string): Promise<unknown> {
  try {
    switch (extname(path)) {
      case '.json':
        return parse(await readFile(path, 'utf8'));
      case '.ts':
      case '.mts':
      case '.mjs':
      case '.js': {
        const module: Record<string, unknown> = await import(pathToFileURL(path).href);
        if (!('default' in module))
          throw new Error('it has no default export; write `export default defineConfig({ … })`');
        return module.default;
      }
      default:
        throw new Error(`its name must end in .ts, .mjs or .json, got ${basename(path)}`);
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const reason =
      codeOf(cause) === 'ENOENT'
        ? 'there is no such file'
        : printable(withoutUserinfo(message), MAX_REASON) + (NOT_A_MODULE.test(message) ? AS_A_MODULE : '');
    throw new WaybillError('INVALID_CONFIG', `${name} cannot be read: ${reason}`, { cause });
  }
}

/** JSON.parse's own message quotes the text around the fault, which may be a password. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const place = /line \d+ column \d+/.exec(String(cause))?.[0];
    throw new Error(`it is not JSON${place === undefined ? '' : ` (${place})`}`, { cause });
  }
}
