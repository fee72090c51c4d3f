// A worker in a process of its own, for tests that kill it. Its configuration stands in WORKER_CONFIG.
import { createWorker, type ConfigInput, type RunningWorker } from '../../worker/index.ts';

const force = new AbortController();
let worker: RunningWorker | undefined;
let stopping = false;
process.on('SIGTERM', () => {
  if (stopping) force.abort();
  else void worker?.stop(force.signal).then(({ forced }) => process.exit(forced ? 130 : 0));
  stopping = true;
});
const config = JSON.parse(process.env.WORKER_CONFIG ?? '{}') as ConfigInput;
worker = await createWorker(config);
