// A new process for one arm of one round: it calls a function of the arm's module, and goes on until it is ended.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { asking } from './ask.ts';
import type { Arm, Task } from './bench.ts';
import { built, ROOT } from './build.ts';

const LOOK_LIMIT_MS = 30_000;

export interface Usage {
  /** User and system time of the process so far. */
  cpuUs: number;
  rssBytes: number;
  maxRssBytes: number;
}

export interface ArmProcess {
  pid: number;
  /** Resolves with what the function gave. Of one that begins to work: once it has begun. */
  done: Promise<unknown>;
  usage(): Promise<Usage>;
  /** Begins a processor profile, or ends it into a file. */
  profile(file?: string): Promise<unknown>;
  /** At once (SIGKILL): what it has not done is nobody's any more. */
  end(): Promise<void>;
}

/** @param limitMs for the function */
export function startArm(arm: Arm, name: string, task: Task, limitMs: number): ArmProcess {
  const child = startChild('bench/kernel/arm-process.ts', join(task.dir, 'stdout.log'));
  const ask = asking(child, `${arm.name} ${arm.title}`);
  const done = ask('call', [arm.module, name, task], limitMs);
  done.catch(() => {});
  return {
    pid: child.pid ?? 0,
    done,
    usage: () => ask<Usage>('usage', [], LOOK_LIMIT_MS),
    profile: (file) => ask('profile', file === undefined ? [] : [file], LOOK_LIMIT_MS),
    end: () => endChild(child),
  };
}

/** Calls one function in a process of its own and ends that. @returns what it gave */
export async function callArm(arm: Arm, name: string, task: Task, limitMs: number): Promise<unknown> {
  const called = startArm(arm, name, task, limitMs);
  try {
    return await called.done;
  } finally {
    await called.end();
  }
}

/** @param output a file for what it prints, as a service's lines go to one; nowhere when left out */
export function startChild(file: string, output?: string): ChildProcess {
  const stdout = output === undefined ? 'ignore' : openSync(output, 'a');
  try {
    return fork(built(file), [], {
      cwd: ROOT,
      // Where packages look in the end: BullMQ for the `pg` of its peer arm.
      env: { ...process.env, NODE_PATH: join(ROOT, 'bench/node_modules') },
      stdio: ['ignore', stdout, 'inherit', 'ipc'],
    });
  } finally {
    if (typeof stdout === 'number') closeSync(stdout);
  }
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
