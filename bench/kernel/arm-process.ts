// The process of an arm: loads its module alone, so that it weighs what the arm weighs.
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { answer } from './ask.ts';
import type { Task } from './bench.ts';

let session: Session | undefined;

function connected(): Session {
  const made = new Session();
  made.connect();
  return made;
}

answer({
  call: async (module: string, name: string, task: Task): Promise<unknown> => {
    const file = new URL(`../../${module}`, import.meta.url).href;
    const loaded = (await import(file.replace(/\.ts$/, import.meta.url.endsWith('.js') ? '.js' : '.ts'))) as Record<
      string,
      (task: Task) => unknown
    >;
    const called = loaded[name];
    if (!called) throw new Error(`${module} exports no ${name}`);
    return called(task);
  },
  profile: async (to?: string): Promise<void> => {
    session ??= connected();
    if (to === undefined) {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
    } else await writeFile(to, JSON.stringify((await session.post('Profiler.stop')).profile));
  },
  usage: () => {
    const { user, system } = process.cpuUsage();
    return {
      cpuUs: user + system,
      rssBytes: process.memoryUsage.rss(),
      maxRssBytes: process.resourceUsage().maxRSS * 1024,
    };
  },
});
