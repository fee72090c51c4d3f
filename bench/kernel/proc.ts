// What Linux knows of a process that answers no questions of ours.
import { readdir, readFile } from 'node:fs/promises';

/** /proc counts processor time in these. */
const TICK_US = 10_000;

/** @returns user and system time so far; to 10 ms */
export async function cpuUsOf(pid: number): Promise<number> {
  const { own } = await ticksOf(pid);
  return own * TICK_US;
}

/** @returns the same of a process and its children; those that have ended count with it */
export async function cpuUsOfTree(pid: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(pids.map(async (one) => ({ one, ...(await ticksOf(one)) })));
  return (
    TICK_US *
    all.reduce((sum, { one, parent, own, ended }) => {
      if (one === pid) return sum + own + ended;
      return parent === pid ? sum + own : sum;
    }, 0)
  );
}

export async function rssBytesOf(pid: number): Promise<number> {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Nothing for a process that is gone. */
async function ticksOf(pid: number): Promise<{ parent: number; own: number; ended: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in brackets may hold spaces.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (index: number): number => fields[index] ?? 0;
  return { parent: at(1), own: at(11) + at(12), ended: at(13) + at(14) };
}
