// A worker in a process of its own, for tests that kill it. Its configuration stands in WORKER_CONFIG.
import { createWorker, type ConfigInput } from '../../worker/index.ts';

const config = JSON.parse(process.env.WORKER_CONFIG ?? '{}') as ConfigInput;
const worker = await createWorker(config);
const force = new AbortController();
let stopping = false;
process.on('SIGTERM', () => {
  if (stopping) force.abort();
  else void worker.stop(force.signal).then(({ forced }) => process.exit(forced ? 130 : 0));
  stopping = true;
});
