// The demo's folder, .waybill in the current directory: the data of its private Redis, the worker's configuration and its
// log. It is kept, so that the next run has its data.
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findLiveServer, type ServerRecord } from '../redis/folder.ts';

export interface DemoFolder {
  redisDir: string;
  configFile: string;
  logFile: string;
  dashboardLogFile: string;
}

const under = (cwd: string): DemoFolder => ({
  redisDir: join(cwd, '.waybill', 'redis'),
  configFile: join(cwd, '.waybill', 'waybill.config.json'),
  logFile: join(cwd, '.waybill', 'worker.log'),
  dashboardLogFile: join(cwd, '.waybill', 'dashboard.log'),
});

export async function makeFolder(cwd: string): Promise<DemoFolder> {
  const folder = under(cwd);
  await mkdir(folder.redisDir, { recursive: true, mode: 0o700 });
  // Whatever repository it stands in, it is not part of it.
  await writeFile(join(cwd, '.waybill', '.gitignore'), '*\n');
  return folder;
}

/** The live private server of the demo in this directory and the process that started it; undefined where there is none. */
export async function findPrivateRedis(cwd: string): Promise<(ServerRecord & { url: string }) | undefined> {
  const dir = await realpath(under(cwd).redisDir).catch(() => undefined);
  // A record that cannot be read, or a server that does not answer, is none to go to.
  const live = dir === undefined ? undefined : await findLiveServer(dir).catch(() => undefined);
  return live && { ...live, url: `redis://127.0.0.1:${live.port}` };
}
