// Somebody at the dashboard of a soak: looks at the overview and the dead letters every second, and listens for what
// changes, on another connection every 10 s.
import { setTimeout as sleep } from 'node:timers/promises';
import { ROUTES } from '../../../dashboard/api/contract/routes.ts';
import type { Child } from '../child.ts';

const LOOK_EVERY_MS = 1000;
const LISTEN_MS = 10_000;
const ANSWER_LIMIT_MS = 5000;
const URL_LIMIT_MS = 10_000;

export interface Visit {
  /** Looks that were answered with what was asked for. */
  readonly answered: number;
  /** Those that were refused, as while Redis is away. */
  readonly refused: number;
}

/** Until it is over. @param url of the dashboard, without its last slash */
export async function visit(url: string, over: AbortSignal): Promise<Visit> {
  let [answered, refused] = [0, 0];
  const listening = listen(`${url}${ROUTES.events.path}`, over);
  while (!over.aborted) {
    for (const path of [ROUTES.overview.path, ROUTES.letters.path]) {
      const status = await look(`${url}${path}`);
      if (status === 200) answered += 1;
      else refused += 1;
    }
    await sleep(LOOK_EVERY_MS);
  }
  await listening;
  return { answered, refused };
}

async function look(url: string): Promise<number> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

async function listen(url: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const enough = AbortSignal.any([over, AbortSignal.timeout(LISTEN_MS)]);
    await fetch(url, { signal: enough })
      .then((answer) => answer.arrayBuffer())
      .catch(() => {});
    // One that is refused at once is not asked at once again.
    if (!enough.aborted) await sleep(LOOK_EVERY_MS);
  }
}

/** @returns the dashboard's address without its last slash */
export function addressOf(dashboard: Child): Promise<string> {
  const told = new Promise<string>((resolve) =>
    dashboard.onMessage((message) => {
      if (typeof message === 'object' && message && 'url' in message) resolve(String(message.url).replace(/\/$/, ''));
    }),
  );
  dashboard.send({ ask: 'url' });
  const silent = sleep(URL_LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`the dashboard did not tell its address within ${URL_LIMIT_MS} ms`);
  });
  return Promise.race([told, silent]);
}
