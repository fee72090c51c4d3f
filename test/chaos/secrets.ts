// I10: what is told outside at the end of a campaign is kept beside its logs and the files of Redis: the metrics of a worker,
// the state of the destination, every dead letter and one write as the command line shows them. No secret may be in any.
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jobIdOf } from '../../core/write.ts';
import { SENTINEL_PASSWORD } from '../support/redis-sentinel.ts';
import { API_KEYS, type Campaign } from './campaign.ts';
import { finderOf } from './fuzz/hidden.ts';
import { type Judgement, look } from './judge.ts';
import { REDIS_PASSWORD } from './redis-server.ts';

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const LIMIT_MS = 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** As many as the command prints. */
const LETTERS = 10_000;

const SECRETS = [...API_KEYS, REDIS_PASSWORD, SENTINEL_PASSWORD];
/** In any form that an API or a program may show them in, and of each its beginning. */
const holdsSecret = finderOf(SECRETS);

/** Asks for all that can be asked for, while a worker that tells its metrics is alive. */
export async function tellAll(campaign: Campaign, healthPort: number): Promise<void> {
  const { folder } = campaign;
  const keep = async (name: string, text: Promise<string>): Promise<void> => writeFile(join(folder, name), await text);
  const known = await firstThere(campaign);
  await Promise.all([
    keep('metrics.txt', metricsAt(healthPort)),
    keep('status.txt', waybill(campaign, 'status')),
    keep('letters.txt', waybill(campaign, 'dead-letters', 'list', '--limit', String(LETTERS))),
    known && keep('write.txt', waybill(campaign, 'find', known)),
  ]);
}

/** A write that was not taken by its fault, and not given up by its producer. */
async function firstThere({ ledger, queue }: Campaign): Promise<string | undefined> {
  for (const { key } of ledger.entries()) if (await queue.getJob(jobIdOf(key))) return key;
  return undefined;
}

async function metricsAt(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok) throw new Error(`the metrics are not there: HTTP ${response.status}`);
  return response.text();
}

/** @returns what a command prints. @throws where it fails */
async function waybill(campaign: Campaign, ...args: readonly string[]): Promise<string> {
  const { redis, destinations } = campaign.config();
  const { url = '', password, sentinelPassword } = redis ?? {};
  const config = join(campaign.folder, 'waybill.config.json');
  await writeFile(config, JSON.stringify({ destinations }));
  const env = {
    ...process.env,
    REDIS_URL: url,
    ...(password !== undefined && { REDIS_PASSWORD: password }),
    ...(sentinelPassword !== undefined && { REDIS_SENTINEL_PASSWORD: sentinelPassword }),
  };
  const options = { env, timeout: LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [CLI, ...args, '--output', 'json', '--config', config],
    options,
  );
  return stdout + stderr;
}

/** Every file of a campaign: those of Redis hold all that was ever written. */
export async function judgeSecrecy(judgement: Judgement, { folder, options }: Campaign): Promise<void> {
  const folders = [folder, ...(options.redis ? [options.redis.folder] : [])];
  for (const one of folders) await judgeSecrets(judgement, one, holdsSecret);
  const written = (await Promise.all(folders.map(filesWithText))).flat();
  for (const kind of ['.aof', 'workers.log'])
    look(
      judgement,
      'I10',
      written.some((file) => file.endsWith(kind)),
      () => `nothing was written to any ${kind}`,
    );
}

async function filesWithText(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return files.filter((_, i) => (sizes[i] ?? 0) > 0);
}

/** However it is escaped. */
const LONGEST_FORM = 1024;
/** The Sentinels' own has to hold their password. */
const CONFIGURATION = 'sentinel.conf';

/** Looks for secrets in every file of a folder: append-only files and logs hold all that was ever written. */
export async function judgeSecrets(
  judgement: Judgement,
  folder: string,
  holds: (text: string) => boolean,
): Promise<void> {
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.name === CONFIGURATION) continue;
    let tail = '';
    let found = 0;
    const path = join(file.parentPath, file.name);
    try {
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        const text = tail + chunk.toString('latin1');
        found += Number(holds(text));
        tail = text.slice(-LONGEST_FORM);
      }
    } catch (error) {
      // A file that its server has just replaced.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    look(judgement, 'I10', found === 0, () => `${file.name}: ${found} times`);
  }
}
