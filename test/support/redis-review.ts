// All that a dashboard does in Redis, by its own API: what a person at the page ever asks of it, and what its runner of
// bulk operations does by itself.
import { expect } from 'vitest';
import type { Operation, Plan } from '../../dashboard/api/contract/operations.ts';
import { startDashboard } from '../../dashboard/index.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { eventually } from './world.ts';

const TOKEN = 'token-of-who-reviews';

interface Caller {
  get: <T>(path: string) => Promise<T>;
  post: <T>(path: string, body?: object) => Promise<T>;
  /** Listens until the first change is told. */
  hear: () => Promise<void>;
}

/** A dashboard for as long as somebody works at it; whatever it logs as a warning fails. */
async function atTheDashboard(redis: RedisSettings, work: (caller: Caller) => Promise<void>): Promise<void> {
  const trouble: string[] = [];
  const running = await startDashboard(
    { dashboard: { port: 0, unconfigured: 'show' } },
    {
      connection: redis,
      env: { WAYBILL_DASHBOARD_TOKENS: `ada:admin:${TOKEN}` },
      logTo: { write: (line: string) => void (/NOPERM|"level":[4-6]0/.test(line) && trouble.push(line)) },
    },
  );
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(running.url + path, {
      headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text;
  };
  const hear = async (): Promise<void> => {
    const { body } = await fetch(`${running.url}api/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
    for await (const chunk of body ?? []) if (Buffer.from(chunk).includes('event: changed')) return;
  };
  try {
    await work({ get: ask as Caller['get'], post: (path, body = {}) => ask(path, body) as never, hear });
  } finally {
    await running.stop();
  }
  expect(trouble).toEqual([]);
}

interface Row {
  id: string;
  idempotencyKey: string;
}

/**
 * @param name a destination with five open dead letters or more, of status 422
 * @returns the key of a write that was replayed
 */
export async function review(redis: RedisSettings, name: string): Promise<string> {
  let replayed = '';
  await atTheDashboard(redis, async ({ get, post, hear }) => {
    const letters = `api/dead-letters?destination=${name}`;
    const { items } = await get<{ items: Row[] }>(`${letters}&first=oldest`);
    expect(items.length).toBeGreaterThan(4);
    const [first, second, third, fourth] = items as [Row, Row, Row, Row];
    for (const path of [
      'api/overview',
      'api/dead-letters/groups',
      'api/dead-letters/groups?q=opt',
      'api/dead-letters/histogram',
      'api/dead-letters/count?status=422',
      `${letters}&status=422&reason=rejected&attempts=1`,
      `${letters}&q=opt-in`,
      `${letters}&state=replayed`,
      'api/dead-letters/export?format=csv',
      'api/dead-letters/bundle?status=422',
      `api/dead-letters/${name}/${first.id}`,
      `api/find?id=${first.idempotencyKey}`,
      'api/find?id=nobody-knows-it',
      'api/audit',
      'api/audit/export',
      'api/operations',
    ]) {
      await get(path);
    }
    await post('api/what-if', { policy: { maxAttempts: 8 } });
    const because = { reason: 'to see whether it may' };
    await post(`api/dead-letters/${name}/${first.id}/replay`, because);
    // One that waits.
    await get(`api/find?id=${first.idempotencyKey}`);
    await post(`api/dead-letters/${name}/${second.id}/replay`, {
      ...because,
      newKey: true,
      edit: { body: '{"phone_number":"+4512345678"}' },
    });
    await post(`api/dead-letters/${name}/${third.id}/discard`, because);
    await post(`api/dead-letters/${name}/${third.id}/restore`, because);
    await post(`api/destinations/${name}/pause`, because);
    await post(`api/destinations/${name}/resume`, because);
    await operate({ get, post }, name, fourth.id);
    await hear();
    replayed = first.idempotencyKey;
  });
  return replayed;
}

async function operate({ get, post }: Pick<Caller, 'get' | 'post'>, name: string, id: string): Promise<void> {
  const create = async (request: object, how: object = {}): Promise<Operation> => {
    const asked = { destination: name, ...request };
    const { frozenAt } = await post<Plan>('api/operations/plan', asked);
    return post('api/operations', { rate: 1000, ...asked, ...how, frozenAt, reason: 'to see whether it may' });
  };
  const look = ({ id: operation }: Operation) => get<Operation>(`api/operations/${name}/${operation}`);
  const named = { target: { ids: [id] } };
  for (const act of ['discard', 'restore']) {
    const one = await create({ act, ...named });
    await eventually(async () => expect(await look(one)).toMatchObject({ state: 'done', counts: { done: 1 } }), 20_000);
  }
  const all = await create({ act: 'replay', target: { filter: { status: 422 } } }, { steps: 'canary' });
  await eventually(async () => expect(await look(all)).toMatchObject({ step: { waiting: true } }), 20_000);
  for (const verb of ['pause', 'resume', 'cancel']) {
    await post(`api/operations/${name}/${all.id}/${verb}`, { reason: 'to see whether it may' });
  }
  await get(`api/operations/${name}/${all.id}/items`);
}

/** What is left of its operations once a worker has sent what they replayed. */
export const follow = (redis: RedisSettings, name: string): Promise<void> =>
  atTheDashboard(redis, ({ get }) =>
    eventually(async () => {
      const { operations } = await get<{ operations: Operation[] }>(`api/operations?destination=${name}`);
      expect(operations.map(({ after }) => after.underway)).toEqual([0, 0, 0]);
      expect(operations[0]?.after.dead).toBe(1);
    }, 20_000),
  );
