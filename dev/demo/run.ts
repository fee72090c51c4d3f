// The demo: brings everything up, tells its story, goes on working until it is told to stop, and leaves no process.
import { bringUp, type Stage } from './bring-up.ts';
import { DemoError } from './errors.ts';
import { tellStory, type Told } from './story.ts';
import { summarize } from './summary.ts';

export interface DemoOptions {
  cwd: string;
  env: Record<string, string | undefined>;
  /** A running Redis; a private one is started when undefined. */
  redisUrl: string | undefined;
  /** Starts the CLI as a process of its own: program and file. */
  command: readonly string[];
  /** The same as a person types it. */
  typed: string;
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
      playing,
      stage.broken.then((how) => {
        if (!asked.aborted) throw new DemoError(how);
      }),
    ]);
  } catch (error) {
    // A Ctrl-C may have ended what was being started: it was asked for.
    if (!asked.aborted) throw error;
  } finally {
    over.abort();
    if (asked.aborted) say('\nstopping: the worker finishes what it is sending');
    await playing?.catch(() => {});
    for (const step of takeDown.toReversed())
      await step().catch((error: unknown) => say(`while stopping: ${String(error)}`));
  }
  say('stopped; the data stays for the next run');
  return { forced: force.aborted };
}

async function play({ say, stream, typed }: DemoOptions, stage: Stage, over: AbortSignal): Promise<void> {
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
  say('\nEverything works on until Ctrl-C.');
}

/** The one with the longest journal. */
function keyToShow(told: readonly Told[]): string {
  return told.toSorted((a, b) => b.attemptsTold - a.attemptsTold)[0]?.key ?? '';
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
