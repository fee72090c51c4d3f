// Enqueues the dozen writes as an application would, and tells what happens to each until all are settled.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { createQueue, WaybillError } from '../../producer/index.ts';
import { type Found, find } from '../../queue/find.ts';
import type { Stage } from './bring-up.ts';
import { type News, newsOf } from './news.ts';
import { type DemoWrite, WRITES } from './writes.ts';

/** Between two adds, so that a person can follow. */
const ADD_EVERY_MS = 200;
const LOOK_EVERY_MS = 150;
const COLOURS = { delivered: 'green', retry: 'yellow', dead: 'red' } as const;

export interface Told {
  number: number;
  write: DemoWrite;
  key: string;
  attemptsTold: number;
  /** As it was last seen. */
  found?: Found;
}

interface Telling {
  stage: Stage;
  say: (line: string) => void;
  /** Decides on colour. */
  stream: NodeJS.WritableStream;
  /** Ends the story early. */
  over: AbortSignal;
}

/** @returns every write with what became of it */
export async function tellStory(telling: Telling): Promise<Told[]> {
  const writes = WRITES.map((write, i): Told => ({ number: i + 1, write, key: randomUUID(), attemptsTold: 0 }));
  const startedAt = Date.now();
  const line = (at: number, { number, write }: Told, text: string): void =>
    telling.say(
      `${((at - startedAt) / 1000).toFixed(1).padStart(6)} s  #${String(number).padEnd(2)}  POST ${write.path.padEnd(25)}  ${text}`,
    );
  const added: Told[] = [];
  const adding = addAll(telling, writes, added, line);
  const failed = new AbortController();
  adding.catch(() => failed.abort()); // thrown below
  const over = AbortSignal.any([telling.over, failed.signal]);
  while (!over.aborted && (added.length < writes.length || !added.every(isSettled))) {
    const news: (News & { told: Told })[] = [];
    for (const told of added.filter((one) => !isSettled(one))) news.push(...(await look(telling, told)));
    for (const { told, at, kind, text, requestId } of news.toSorted((a, b) => a.at - b.at)) {
      const id = requestId === undefined ? '' : `  ${styleText('dim', requestId, telling)}`;
      line(at, told, styleText(COLOURS[kind], text, telling) + id);
    }
    await sleep(LOOK_EVERY_MS);
  }
  await adding;
  return writes;
}

type Line = (at: number, told: Told, text: string) => void;

async function addAll({ stage, over }: Telling, writes: readonly Told[], added: Told[], line: Line): Promise<void> {
  const queue = createQueue(stage.destination, { connection: stage.redis });
  try {
    for (const told of writes) {
      if (over.aborted) return;
      const { path, body, story, maxAttempts } = told.write;
      line(Date.now(), told, `queued     ${story}`);
      await queue.add(
        'send',
        { method: 'POST', path, body, idempotencyKey: told.key },
        maxAttempts === undefined ? {} : { maxAttempts },
      );
      added.push(told);
      await sleep(ADD_EVERY_MS);
    }
    const again = writes.at(-1);
    if (!again) return;
    const { path, body } = again.write;
    const { duplicate } = await queue.add('send', { method: 'POST', path, body, idempotencyKey: again.key });
    line(
      Date.now(),
      again,
      duplicate ? 'duplicate  added once more: answered, not sent again' : 'MISMATCH   a duplicate was queued',
    );
    const refusal = await queue
      .add('send', { method: 'POST', path, body: { ...body, email: 'x@example.com' }, idempotencyKey: again.key })
      .catch((error: unknown) => error);
    const refused = refusal instanceof WaybillError && refusal.code === 'IDEMPOTENCY_CONFLICT';
    line(
      Date.now(),
      again,
      refused
        ? 'refused    the same key with another payload: IDEMPOTENCY_CONFLICT'
        : 'MISMATCH   a conflict was queued',
    );
  } finally {
    await queue.close();
  }
}

async function look({ stage }: Telling, told: Told): Promise<(News & { told: Told })[]> {
  const [found] = await find(stage.reader, told.key, stage.destination);
  if (!found) return [];
  const news = newsOf(found, told.attemptsTold);
  told.attemptsTold = found.journal.attempts.length;
  told.found = found;
  return news.map((one) => ({ ...one, told }));
}

function isSettled({ found }: Told): boolean {
  return found?.state === 'delivered' || found?.state === 'dead';
}
