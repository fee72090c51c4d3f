// A worker whose onSettled hook prints what it is told and never returns, for tests that kill it in the hook.
import { createWorker, type ConfigInput } from '../../worker/index.ts';

await createWorker(JSON.parse(process.env.WORKER_CONFIG ?? '{}') as ConfigInput, {
  onSettled: (ending) => {
    process.stdout.write(`told ${ending.state} ${ending.jobId}\n`);
    return new Promise(() => {});
  },
});
