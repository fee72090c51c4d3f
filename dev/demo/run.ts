// The demo: brings everything up, tells its story, goes on working until it is told to stop, and leaves no process.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { bringUp, type Stage } from './bring-up.ts';
import { DemoError } from './errors.ts';
import { tellStory, type Told } from './story.ts';
import { summarize } from './summary.ts';
import { whenAborted } from './when-aborted.ts';

/** How long the story may take to come to its end; a Redis that hangs would keep it for half a minute. */
const STORY_END_LIMIT_MS = 500;
/** Longer than between two looks whether everything still runs. */
const BROKEN_TOLD_LIMIT_MS = 1000;

/** What the dashboard needs to show the demo. */
export interface DemoSetup {
  redis: RedisSettings;
  destinations: Record<string, { baseUrl: string; auth: { header: string; env: string }; timeoutMs: number }>;
  logFile: string;
}

export interface DemoOptions {
  cwd: string;
  env: Record<string, string | undefined>;
  /** A running Redis, and the flag or the variable that named it; a private one is started when undefined. */
  redis: { settings: RedisSettings; from: string } | undefined;
  /** Starts the CLI as a process of its own: program and file. */
  command: readonly string[];
  /** The same as a person types it. */
  typed: string;
  /** Starts the page beside the demo; it is another room's, and given from outside. */
  openDashboard: (setup: DemoSetup) => Promise<{ url: string; stop(): Promise<void> }>;
  /** Where `say` writes to; decides on colour. */
  stream: NodeJS.WritableStream;
  say: (line: string) => void;
  asked: AbortSignal;
  force: AbortSignal;
}

/** @throws Error when something that should run does not, or ends; everything is taken down before */
export async function runDemo(options: DemoOptions): Promise<{ forced: boolean }> {
  const { asked, force, say } = options;
  const takeDown: (() => Promise<unknown>)[] = [];
  const over = new AbortController();
  let playing: Promise<void> | undefined;
  say('Waybill on this machine: a queue, a worker and an API to write to. Nothing leaves it.');
  try {
    const stage = await bringUp(options, takeDown);
    const end = AbortSignal.any([over.signal, asked]);
    playing = play(options, stage, end).then(() => whenAborted(end));
    await Promise.race([
      whenAborted(asked),
      // The story may meet the end of a process before it is noticed: that is what is told then.
      playing.catch(async (error: unknown) => {
        await Promise.race([stage.broken, sleep(BROKEN_TOLD_LIMIT_MS, undefined, { ref: false })]);
        throw error;
      }),
      stage.broken.then((how) => {
        if (asked.aborted) return;
        // At once: taking down may last for seconds.
        say(`\n${how}; taking down the rest`);
        throw new DemoError(how);
      }),
    ]);
  } catch (error) {
    // A Ctrl-C may have ended what was being started: it was asked for.
    if (!asked.aborted) throw error;
  } finally {
    over.abort();
    if (asked.aborted) say('\nstopping: the worker finishes what it is sending');
    await Promise.race([playing?.catch(() => {}), sleep(STORY_END_LIMIT_MS)]);
    for (const step of takeDown.toReversed())
      await step().catch((error: unknown) => say(`while stopping: ${String(error)}`));
    // What it waited for is closed by now.
    await playing?.catch(() => {});
  }
  say('stopped; the data stays for the next run');
  return { forced: force.aborted };
}

async function play({ say, stream, typed, redis }: DemoOptions, stage: Stage, over: AbortSignal): Promise<void> {
  say(`\nA dozen writes to the destination ${stage.destination}, as they happen:\n`);
  const told = await tellStory({ stage, say, stream, over });
  if (over.aborted) return;
  const { lines, wrong } = summarize(told, stage.sandbox);
  for (const line of ['', ...lines, '']) say(line);
  if (wrong.length > 0)
    throw new DemoError(
      `the ledger contradicts the verdict of ${wrong.map((number) => `#${number}`).join(', ')}: this is a bug`,
    );
  say('Go on with, in another terminal in this folder:');
  for (const command of [`find ${keyToShow(told)}`, 'dead-letters list', 'status']) say(`  ${typed} ${command}`);
  say(`or in a browser, where the dead ones are shown and replayed: ${stage.dashboardUrl}`);
  if (redis) say(`This is the Redis of ${redis.from}: it must be given there too.`);
  say('\nEverything works on until Ctrl-C.');
}

/** The one with the longest journal. */
function keyToShow(told: readonly Told[]): string {
  return told.toSorted((a, b) => b.attemptsTold - a.attemptsTold)[0]?.key ?? '';
}
