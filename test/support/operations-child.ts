// A runner of bulk operations in a process of its own, for tests that kill it or hold it up.
import { Reader } from '../../queue/reader.ts';
import { runOperations } from '../../queue/operations/run.ts';

const { REDIS = '', DESTINATION = '', LEASE_MS = '1000' } = process.env;
const reader = await Reader.open(REDIS);
runOperations({ reader, only: [DESTINATION], intervalMs: 50, leaseMs: Number(LEASE_MS) });
process.stdout.write('running\n');
setInterval(() => {}, 60_000);
