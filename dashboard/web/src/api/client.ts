// Calls to the API, by its route table: `call('letter', { params: { destination, id }, signal })`. Every call has a time
// limit; whatever goes wrong is an ApiError with the envelope's code and request_id.
import type { AuditList, FoundAnswer, PauseAnswer } from '../../../api/contract/audit.ts';
import type {
  GroupList,
  Histogram,
  LetterCount,
  LetterDetail,
  LetterList,
  ReplayAnswer,
  ReplayRequestBody,
  ShownAct,
} from '../../../api/contract/letters.ts';
import type {
  CreateRequest,
  Operation,
  OperationItems,
  OperationList,
  Plan,
  PlanRequest,
} from '../../../api/contract/operations.ts';
import type { Overview } from '../../../api/contract/overview.ts';
import { ROUTES } from '../../../api/contract/routes.ts';
import type { ErrorEnvelope, Session } from '../../../api/contract/session.ts';
import type { WhatIf, WhatIfRequest } from '../../../api/contract/what-if.ts';
import { below } from '../routes.ts';

/** What each route is given as a body, and answers. */
interface Calls {
  session: { body: undefined; answer: Session };
  signIn: { body: { token: string }; answer: Session };
  signOut: { body: undefined; answer: Session };
  overview: { body: undefined; answer: Overview };
  letters: { body: undefined; answer: LetterList };
  countLetters: { body: undefined; answer: LetterCount };
  groups: { body: undefined; answer: GroupList };
  histogram: { body: undefined; answer: Histogram };
  letter: { body: undefined; answer: LetterDetail };
  replay: { body: ReplayRequestBody; answer: ReplayAnswer };
  discard: { body: { reason: string }; answer: ShownAct };
  restore: { body: { reason: string }; answer: ShownAct };
  planOperation: { body: PlanRequest; answer: Plan };
  createOperation: { body: CreateRequest; answer: Operation };
  operations: { body: undefined; answer: OperationList };
  operation: { body: undefined; answer: Operation };
  operationItems: { body: undefined; answer: OperationItems };
  pauseOperation: { body: { reason: string }; answer: Operation };
  resumeOperation: { body: { reason: string }; answer: Operation };
  cancelOperation: { body: { reason: string }; answer: Operation };
  audit: { body: undefined; answer: AuditList };
  find: { body: undefined; answer: FoundAnswer };
  whatIf: { body: WhatIfRequest; answer: WhatIf };
  pauseDestination: { body: { reason: string }; answer: PauseAnswer };
  resumeDestination: { body: { reason: string }; answer: PauseAnswer };
}
type CallName = keyof Calls;

type ParamsOf<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamsOf<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;
type Params<N extends keyof typeof ROUTES> = Record<ParamsOf<(typeof ROUTES)[N]['path']>, string>;
type Query = URLSearchParams | Record<string, string | number | boolean | undefined>;

type Input<N extends CallName> = {
  query?: Query | undefined;
  signal?: AbortSignal | undefined;
} & (keyof Params<N> extends never ? { params?: undefined } : { params: Params<N> }) &
  (Calls[N]['body'] extends undefined ? { body?: undefined } : { body: Calls[N]['body'] });

/** The server gives up after 20 s, and says so better. */
const TIMEOUT_MS = 25_000;

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(status: number, code: string, message: string, requestId?: string, details?: Record<string, unknown>) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.details = details;
  }

  /**
   * Nothing is wrong with what was asked: the server, its Redis or a proxy does not answer now. What took too long is none
   * of these: to ask for it again and again would make it worse.
   */
  get isAway(): boolean {
    return ['UNREACHABLE', 'QUEUE_UNAVAILABLE', 'HTTP_502', 'HTTP_503', 'HTTP_504'].includes(this.code);
  }
}

/** Set by session.ts, which knows them. */
export const hooks = {
  csrf: (): string | undefined => undefined,
  signedOut: (): void => {},
  /** Asks for the session anew; whether it is still the same person's. */
  renewed: async (): Promise<boolean> => false,
};

/** The address of a route, for a link or a download. */
export function addressOf<N extends keyof typeof ROUTES>(name: N, params: Partial<Params<N>> = {}, query: Query = {}) {
  const path = ROUTES[name].path.replaceAll(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent((params as Record<string, string>)[key] ?? ''),
  );
  const search =
    query instanceof URLSearchParams
      ? query
      : new URLSearchParams(
          Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
        );
  const text = search.toString();
  return below(text === '' ? path : `${path}?${text}`);
}

/** @throws ApiError; an aborted call rejects with the signal's reason */
export async function call<N extends CallName>(name: N, input: Input<N>): Promise<Calls[N]['answer']> {
  try {
    return await callOnce(name, input);
  } catch (error) {
    // Another tab has signed in anew. What was refused has done nothing.
    if (error instanceof ApiError && error.code === 'CSRF_REFUSED' && (await hooks.renewed()))
      return callOnce(name, input);
    throw error;
  }
}

async function callOnce<N extends CallName>(name: N, input: Input<N>): Promise<Calls[N]['answer']> {
  const { method } = ROUTES[name];
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const headers: Record<string, string> = { accept: 'application/json' };
  const csrf = hooks.csrf();
  if (method !== 'GET' && csrf !== undefined) headers['x-csrf-token'] = csrf;
  if (input.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  let text: string;
  try {
    response = await fetch(addressOf(name, input.params ?? {}, input.query), {
      method,
      headers,
      ...(input.body !== undefined && { body: JSON.stringify(input.body) }),
      credentials: 'same-origin',
      signal: input.signal ? AbortSignal.any([input.signal, timeout]) : timeout,
    });
    text = await response.text();
  } catch (error) {
    if (input.signal?.aborted) throw error;
    throw timeout.aborted
      ? new ApiError(0, 'TIMEOUT', `The dashboard's server gave no answer within ${TIMEOUT_MS / 1000} s.`)
      : new ApiError(
          0,
          'UNREACHABLE',
          "The dashboard's server cannot be reached. What you did may not have been done.",
        );
  }
  const answer = parsed(text);
  if (response.ok && answer !== undefined) return answer as Calls[N]['answer'];
  if (response.status === 401 && name !== 'signIn') hooks.signedOut();
  const envelope = (answer ?? {}) as Partial<ErrorEnvelope>;
  throw new ApiError(
    response.status,
    envelope.code ?? `HTTP_${response.status}`,
    envelope.message ?? 'Something between this page and its server answered.',
    envelope.request_id ?? response.headers.get('x-request-id') ?? undefined,
    envelope.details,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
