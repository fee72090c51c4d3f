// A write as a curl command, to be run in a POSIX shell: masked, the credential as a variable, and quoted so that
// nothing of the write is anything but text to the shell and to curl.
import { type Config, configuredAs, type DestinationConfig } from '../../../core/config.ts';
import { maskWrite, type Masking } from '../../../core/mask-write.ts';
import type { Write } from '../../../core/write.ts';
import { isJson } from '../../../core/mask.ts';
import { printable } from '../../../core/envelope.ts';
import { maskingOf } from './masking.ts';
import { plainJson, textOf } from './sure.ts';

type Settings = Pick<Config, 'destinations' | 'dashboard'>;

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Linux takes no longer argument than 128 KiB; quoting adds to it. */
const MAX_ARGUMENT_BYTES = 100_000;
const MAX_HEADER = 8192;

/** @param config its `baseUrl` and `auth` go in; without the destination they are variables of the shell */
export function curlOf(write: Write, destination: string, config: Settings): string {
  const target = configuredAs(config, destination);
  const base = target ? quote(target.baseUrl.replace(/\/$/, '')) : '"$BASE_URL"';
  const parts = [
    `curl -sS -g --path-as-is -X ${quote(printable(textOf(write.method), 20))} ${base}${quote(printable(textOf(write.path), MAX_HEADER))}`,
    ...headersOf(write, maskingOf(config, destination), target).map((header) => `-H ${header}`),
    ...bodyOf(write, maskingOf(config, destination)),
  ];
  return parts.join(' \\\n  ');
}

function headersOf(write: Write, masking: Masking, target: DestinationConfig | undefined): string[] {
  const { headers } = maskWrite(write, masking);
  // Without a value curl would leave the header out, unless it ends like this.
  const header = (name: string, value: string): string => {
    const said = printable(value, MAX_HEADER);
    return quote(said === '' ? `${name};` : `${name}: ${said}`);
  };
  const given = Object.entries(headers).filter(([name]) => HEADER_NAME.test(name));
  const has = (name: string): boolean => given.some(([other]) => other.toLowerCase() === name);
  const { auth, idempotency } = target ?? {};
  return [
    header(idempotency?.header ?? 'Idempotency-Key', textOf(write.idempotencyKey)),
    ...(auth ? [`${quote(`${auth.header}: ${auth.prefix}`)}"$${auth.env}"`] : []),
    ...(has('accept') ? [] : [header('accept', 'application/json')]),
    ...(write.body === undefined || has('content-type') ? [] : [header('content-type', 'application/json')]),
    ...given.map(([name, value]) => header(name, value)),
  ];
}

/** `--data-raw`, since to `--data` a body that begins with @ is the name of a file. */
function bodyOf(write: Write, masking: Masking): string[] {
  if (write.body === undefined) return [];
  const { body } = maskWrite(write, masking);
  if (body === undefined || !isJson(body)) return ['--data-raw "$BODY"'];
  if (Buffer.byteLength(body) > MAX_ARGUMENT_BYTES) return ["--data-binary '@body.json'"];
  return [`--data-raw ${quote(plainJson(body))}`];
}

/** Inside single quotes nothing means anything to a shell but the quote itself. */
const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
