// Bulk operations go on in every process that serves the dashboard, whoever created them, also where nobody looks at it.
import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields } from '../../core/error-fields.ts';
import { runOperations } from '../../queue/operations/run.ts';
import type { DashboardApp, DashboardContext } from './app.ts';

/** Until Redis is reached for the first time; from then on the runner waits for it by itself. */
const TRY_EVERY_MS = 2000;

export function keepOperationsGoing(app: DashboardApp, { reader }: DashboardContext): void {
  const ended = new AbortController();
  const onError = (error: unknown): void => app.log.warn({ err: errorFields(error) }, 'bulk operations');
  let starting: Promise<{ close(): Promise<void> } | undefined> = Promise.resolve(undefined);

  const start = async () => {
    for (let told = false; !ended.signal.aborted; told = true) {
      try {
        return runOperations({ reader: await reader(), onError });
      } catch (error) {
        if (!told) onError(error);
        await sleep(TRY_EVERY_MS, undefined, { signal: ended.signal, ref: false }).catch(() => {});
      }
    }
  };
  app.addHook('onReady', async () => {
    starting = start();
  });
  app.addHook('onClose', async () => {
    ended.abort();
    await (await starting)?.close();
  });
}
