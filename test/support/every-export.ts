// Every name that the package exports, in use as an application uses it. Compiled by a test against the installed package.
import {
  type AddOptions,
  type BulkAnswer,
  type BulkItem,
  type Config,
  type ConfigInput,
  type ConnectionInput,
  createQueue,
  defineConfig,
  type Delivery,
  type Ending,
  type Method,
  type QueueOptions,
  WaybillError,
  type WaybillErrorCode,
  type Write,
  type WriteInput,
  type WriteJob,
  type WriteQueue,
} from 'waybill';
import {
  createDashboard,
  type DashboardOptions,
  type MountOptions,
  type ResolveUser,
  type RunningDashboard,
  startDashboard,
  type StartOptions,
  type User,
} from 'waybill/dashboard';
import {
  type AnonymousSends,
  assertAppliedOnce,
  createSandbox,
  type FaultName,
  type Ledger,
  type LedgerEntry,
  type LedgerSend,
  type Sandbox,
  type SandboxOptions,
} from 'waybill/testing';
import { createWorker, type OnSettled, type RunningWorker, type WorkerOptions } from 'waybill/worker';

const config: ConfigInput = defineConfig({ destinations: { sms: { baseUrl: 'https://api.example.com' } } });
const connection: ConnectionInput = process.env.REDIS_URL;
const options: QueueOptions = { connection };
const method: Method = 'POST';
const write: WriteInput = { method, path: '/v1/profiles', body: { name: 'Ada' } };
const adding: AddOptions = { delay: 1000, priority: 1, maxAttempts: 3, expiresAt: Date.now(), idempotencyKey: 'one' };

export async function produce(): Promise<[Write, Delivery | null, Ending, BulkAnswer[]] | WaybillErrorCode> {
  const queue: WriteQueue = createQueue('sms', options);
  const items: BulkItem[] = [{ name: 'send', data: write }];
  try {
    const job: WriteJob = await queue.add('send', write, adding);
    const ending: Ending = await queue.waitFor(job, { timeoutMs: 1000 });
    return [job.data, job.returnvalue, ending, await queue.addBulk(items)];
  } catch (error) {
    if (error instanceof WaybillError) return error.code;
    throw error;
  } finally {
    await queue.close();
  }
}

export async function work(resolved: Config): Promise<readonly string[]> {
  const told: Ending[] = [];
  const onSettled: OnSettled = (ending) => void told.push(ending);
  const settings: WorkerOptions = { connection, onSettled, env: { SMS_API_KEY: 'sandbox-key' }, destinations: ['sms'] };
  const workers: RunningWorker[] = [await createWorker(config, settings), await createWorker(resolved)];
  await Promise.all(workers.map((worker) => worker.stop(AbortSignal.timeout(1000))));
  return workers.flatMap((worker) => worker.destinations);
}

export async function check(key: string): Promise<(LedgerSend | AnonymousSends)[]> {
  const fault: FaultName = 'reset-after';
  const planned: SandboxOptions = { faults: { [fault]: 0.5 }, seed: 1 };
  const sandbox: Sandbox = await createSandbox(planned);
  await assertAppliedOnce(sandbox, key);
  const ledger: Ledger = sandbox.ledger();
  const entry: LedgerEntry | undefined = sandbox.entry(key);
  return [...(entry?.sends ?? []), ledger.anonymous];
}

export async function review(resolved: Config): Promise<string> {
  const people = new Map<string, User>([['ada', { name: 'ada', role: 'operator' }]]);
  const resolveUser: ResolveUser = ({ headers }) => people.get(String(headers['x-user']));
  const common: DashboardOptions = { connection, base: '/waybill', env: { WAYBILL_DASHBOARD_TOKENS: '' } };
  const mounted: MountOptions = { ...common, resolveUser };
  const settings: StartOptions = { ...common, localName: 'ada' };
  const running: RunningDashboard = await startDashboard(config, settings);
  await running.stop();
  return `${running.url} ${typeof createDashboard(resolved, mounted)}`;
}
