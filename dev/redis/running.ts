// Whether a process is there, and still the one that was meant: process ids are used again, after a restart of a machine
// or a container at once. Where there is /proc, the time of its start tells one from another.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.ts';

const POLL_MS = 20;
const START_FIELD = 22; // of /proc/PID/stat, see proc_pid_stat(5)
const STATE_FIELD = 3;

export interface ProcessIdentity {
  pid: number;
  /** In clock ticks since the machine's start; undefined where there is no /proc. */
  start: number | undefined;
}

/** Of a process that runs now. */
export function identityOf(pid: number): ProcessIdentity {
  const start = Number(statOf(pid)?.[START_FIELD]);
  return { pid, start: Number.isInteger(start) ? start : undefined };
}

/** False for a zombie too: a taken-over server has no parent that reaps it when the container's process 1 does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return statOf(pid)?.[STATE_FIELD] !== 'Z';
}

/** False too when another process has that id now. */
export function isStillRunning({ pid, start }: ProcessIdentity): boolean {
  if (!isRunning(pid)) return false;
  const now = identityOf(pid).start;
  return start === undefined || now === undefined || now === start;
}

/** True once it has ended, false when the limit comes first. */
export async function waitForEnd(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isStillRunning(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Sends the signal to that process and to no other; one that has ended meanwhile is no error. */
export function sendSignal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isStillRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** The fields, each at its number in the manual; undefined where there is no /proc or no such process. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second, the program's name, may hold spaces and parentheses.
    return ['', String(pid), '', ...text.slice(text.lastIndexOf(')') + 2).split(' ')];
  } catch {
    return undefined;
  }
}
