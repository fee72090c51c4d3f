// What every arm sends: the same POST with a JSON body of 500 bytes; and how those send it that use undici's Pool.
import type { Pool } from 'undici';
import type { Task } from '../kernel/bench.ts';

export const TOKEN = 'Bearer bench-0123456789abcdef0123456789abcdef';
const BODY_BYTES = 500;

export interface Send {
  path: string;
  /** JSON text. */
  body: string;
  idempotencyKey: string;
}

/** The n-th one; its path carries the number, for the upstream to know it by. */
export function sendOf(n: number): Send {
  const key = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const body = { to: '+4915112345678', from: 'Waybill', reference: key, n, tags: ['order', 'confirmation'], text: '' };
  body.text = 'x'.repeat(BODY_BYTES - JSON.stringify(body).length);
  return { path: `/v1/messages?n=${n}`, body: JSON.stringify(body), idempotencyKey: key };
}

export const headersOf = ({ idempotencyKey }: Send): Record<string, string> => ({
  authorization: TOKEN,
  'content-type': 'application/json',
  'idempotency-key': idempotencyKey,
});

/** As little as one can do: resolves with the status once the answer is whole, rejects when it is no success. */
export function dispatch(pool: Pool, send: Send): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    pool.dispatch(
      { method: 'POST', path: send.path, headers: headersOf(send), body: send.body },
      {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData() {},
        onResponseEnd() {
          if (status < 300) resolve(status);
          else reject(new Error(`HTTP ${status}`));
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}

/** As undici's documentation tells: resolves with the status once the answer is read, rejects when it is no success. */
async function request(pool: Pool, send: Send): Promise<number> {
  const options = { method: 'POST', path: send.path, headers: headersOf(send), body: send.body } as const;
  const { statusCode, body } = await pool.request(options);
  await body.dump();
  if (statusCode >= 300) throw new Error(`HTTP ${statusCode}`);
  return statusCode;
}

/** @param task params.by: `dispatch`, or what most people would write */
export const senderOf = ({ params }: Task): typeof dispatch => (params.by === 'dispatch' ? dispatch : request);
