// A program that starts a private Redis in a folder and says so; to be killed, ended or left running by a test. Its second
// argument is its fate: `and-exit`, `killed-at-spawn` (before the program could note the server's id), `only-lock`, or
// `meet-locks` (enters the folders round-0, round-1 … in step with others, and says of each whether it was alone inside).
import childProcess from 'node:child_process';
import { existsSync, writeSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFolderLocked } from '../../dev/redis/lock.ts';
import { startPrivateRedis } from '../../dev/redis/start.ts';

const [, , dir = '', fate, firstAt] = process.argv;
const ROUND_MS = 60;
const say = (pid: number, port: number) => writeSync(1, `pid ${pid} port ${port}\n`);

if (fate === 'killed-at-spawn') {
  const { spawn } = childProcess;
  const spawnAndDie = (command: string, args: string[], options: childProcess.SpawnOptions) => {
    const child = spawn(command, args, options);
    say(child.pid ?? 0, Number(args[args.indexOf('--port') + 1]));
    process.kill(process.pid, 'SIGKILL');
    return child;
  };
  Object.assign(childProcess, { spawn: spawnAndDie });
  syncBuiltinESMExports(); // so that `import { spawn }` sees it
}

if (fate === 'meet-locks') {
  for (let round = 0; existsSync(`${dir}/round-${round}`); round += 1) {
    const at = Number(firstAt) + round * ROUND_MS;
    while (Date.now() < at); // a timer would spread them over milliseconds
    await withFolderLocked(`${dir}/round-${round}`, async () => {
      const mark = `${dir}/round-${round}/inside`;
      const alone = await writeFile(mark, '', { flag: 'wx' }).then(
        () => true,
        () => false,
      );
      await sleep(1);
      await rm(mark, { force: true });
      writeSync(1, alone ? 'alone\n' : 'not alone\n');
    });
  }
  process.exit();
}

setInterval(() => {}, 60_000);
if (fate === 'only-lock') {
  await withFolderLocked(dir, () => {
    say(process.pid, 0);
    return new Promise(() => {});
  });
}
const redis = await startPrivateRedis({ dir });
say(redis.pid, redis.port);
if (fate === 'and-exit') process.exit();
