// A program that starts a private Redis in a folder and says so; to be killed, ended or left running by a test.
import { startPrivateRedis } from '../../dev/redis/start.ts';

const redis = await startPrivateRedis({ dir: process.argv[2] ?? '' });
process.stdout.write(`pid ${redis.pid} port ${redis.port}\n`);
if (process.argv[3] === 'and-exit') process.exit();
setInterval(() => {}, 60_000);
