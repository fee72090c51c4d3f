// The way of one send through the API, in the order a real one has:
//   1. the body is read up to a cap, 2. the API key is checked, 3. the send gets its line in the ledger,
//   4. path, idempotency key and plan must be well-formed, and only then is a step of the plan used up,
//   5. a gateway step answers in the API's place,
//   6. the idempotency key is looked up: replay, conflict, in progress, or run,
//   7. the write is validated and applied, 8. its answer is stored, and only then 9. shown to the client, or not.
// Nothing is awaited between 3 and the claim of the key in 6: that is what makes one of two concurrent sends the first.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, type ApiError, errorAnswer, jsonAnswer, replayOf } from './answer.ts';
import { authenticate } from './api-key.ts';
import { type Claim, type IdempotencyKeys, readKeyHeader } from './idempotency.ts';
import type { LedgerBook } from './ledger.ts';
import { MAX_BODY_BYTES, readPayload } from './payload.ts';
import { type NamedStep, OK, readPlan } from './plan.ts';
import type { PlanPositions } from './plan-positions.ts';
import { inProgress } from './step-answers.ts';
import type { Step } from './steps.ts';
import { findBodyFault, findWrite } from './writes.ts';
import { type Wire, whole } from './wire.ts';

type LookedUpStep = Exclude<Step, { kind: 'gateway' }>;
type Run = Extract<Claim, { kind: 'run' }>;

/** Without an idempotency key there is nothing to look up or to store: each send runs. */
const UNKEYED: Run = { kind: 'run', settle: () => undefined };

export interface Api {
  /** The valid ones. */
  readonly apiKeys: readonly string[];
  readonly latencyMs: number;
  readonly ledger: LedgerBook;
  readonly keys: IdempotencyKeys;
  readonly positions: PlanPositions;
  /** The step of a send whose body has no plan. */
  readonly drawFault: () => NamedStep;
}

const TOO_LARGE: ApiError = {
  status: 413,
  code: 'PAYLOAD_TOO_LARGE',
  message: `The body is larger than ${MAX_BODY_BYTES} bytes.`,
};
export const NO_SUCH_PATH: ApiError = { status: 404, code: 'NOT_FOUND', message: 'There is no such path.' };
const KEY_INVALID: ApiError = {
  status: 400,
  code: 'IDEMPOTENCY_KEY_INVALID',
  message: 'An Idempotency-Key must be 1 to 255 printable ASCII characters, given once.',
};
const KEY_CONFLICT: ApiError = {
  status: 409,
  code: 'IDEMPOTENCY_CONFLICT',
  message: 'This idempotency key was used with another payload.',
};

export async function receiveSend(api: Api, request: IncomingMessage, visitor: Wire): Promise<void> {
  const read = await readPayload(request);
  if (read.kind === 'gone') return;
  if (read.kind === 'too-large') return refuse(visitor, TOO_LARGE);
  const client = authenticate(request, api.apiKeys);
  if (typeof client !== 'number') return refuse(visitor, client);

  const { sha256, parsed } = read.payload;
  const header = readKeyHeader(request);
  const key = header.kind === 'key' ? header.key : undefined;
  const path = request.url ?? '/';
  const send = api.ledger.open(key, {
    at: Date.now(),
    payloadSha256: sha256,
    path,
    ...(api.apiKeys.length > 1 && { client }),
  });
  const wire: Wire = { ...visitor, onStatus: send.answered };

  const write = findWrite(path.replace(/\?.*$/s, ''));
  if (write === undefined) return refuse(wire, NO_SUCH_PATH);
  if (header.kind === 'malformed') return refuse(wire, KEY_INVALID);
  const plan = readPlan(parsed);
  if (plan.kind === 'invalid') return refuse(wire, plan.error);
  const { name, step } =
    plan.kind === 'steps' ? (plan.steps[api.positions.advance(key, sha256)] ?? OK) : api.drawFault();
  send.chose(name);
  if (step.kind === 'gateway') return step.deliver(wire);

  const claim = key === undefined ? UNKEYED : api.keys.claim(key, sha256, Date.now());
  switch (claim.kind) {
    case 'replay':
      return whole(wire, replayOf(claim.answer));
    case 'conflict':
      return refuse(wire, KEY_CONFLICT);
    case 'in-progress':
      return whole(wire, inProgress(wire.requestId));
    case 'run':
      return run(api, step, claim, wire, () => {
        const fault = findBodyFault(write, parsed);
        if (fault !== undefined) return errorAnswer(fault, wire.requestId);
        send.applied();
        const id = `${write.idPrefix}_${randomUUID()}`;
        return jsonAnswer(201, wire.requestId, { id, request_id: wire.requestId });
      });
  }
}

async function run(api: Api, step: LookedUpStep, claim: Run, wire: Wire, apply: () => Answer): Promise<void> {
  const answer = step.kind === 'apply' ? apply() : step.answer(wire.requestId);
  const serviceMs = api.latencyMs + (step.kind === 'apply' ? step.holdMs : 0);
  if (serviceMs > 0) await wait(serviceMs, undefined, { signal: wire.closing });
  // Before the client can know of it: whoever sees this answer, or its loss, finds it stored.
  claim.settle(answer);
  await (step.kind === 'apply' ? step.deliver(wire, answer) : whole(wire, answer));
}

function refuse(wire: Wire, error: ApiError): Promise<void> {
  return whole(wire, errorAnswer(error, wire.requestId));
}
