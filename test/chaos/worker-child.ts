// A worker in a process of its own, to be killed, stopped and frozen by a campaign.
import { createWorker, type ConfigInput } from '../../worker/index.ts';

const { CHAOS_CONFIG = '{}', CHAOS_NAME = 'worker', CHAOS_HOOK } = process.env;
const config = JSON.parse(CHAOS_CONFIG) as ConfigInput;
const worker = await createWorker(config, { name: CHAOS_NAME, ...(CHAOS_HOOK && { onSettled: () => {} }) });
const force = new AbortController();
let stopping = false;
process.on('SIGTERM', () => {
  if (stopping) force.abort();
  else void worker.stop(force.signal).then(({ forced }) => process.exit(forced ? 130 : 0));
  stopping = true;
});
// Its campaign has ended, however it ended.
process.on('disconnect', () => process.exit(1));
process.send?.({ healthPort: worker.healthPort });
process.send?.('ready');
