// What the API has said to each send, and what that proves: from the steps of the plan and what the oracle saw, without
// a rule of the code that is judged.
import type { LedgerSend } from '../../dev/testing.ts';
import type { AnswerOf } from '../../dev/sandbox/answer.ts';
import {
  emptyBody,
  failure,
  inProgress,
  plainText,
  proxyHtml,
  rateLimited,
  rejection,
} from '../../dev/sandbox/step-answers.ts';
import type { Verdict } from '../../core/verdict.ts';

/** One answer, as whoever reads it whole must understand it. */
export interface Said {
  status: number;
  /** The envelope's; `HTTP_<status>` where it has none. Missing where the plan does not tell what was said. */
  code?: string;
  message?: string;
  hasRequestId?: boolean;
  /** What its Retry-After asks for. */
  askedMs: number;
  /** The API keeps it under the key, and gives it again. */
  stored: boolean;
}

/** Given before the key is looked up. */
const GATEWAY: Readonly<Record<string, AnswerOf>> = {
  '302': rejection(302),
  '401': rejection(401),
  '402': rejection(402),
  '403': rejection(403),
  '410': rejection(410),
  '429': rateLimited(),
  '500': failure(500),
  '502': failure(502),
  '503': failure(503),
  '504': failure(504),
  'html-502': proxyHtml,
  'empty-500': emptyBody,
  'in-progress': inProgress,
  'echo-403': rejection(403),
};
/** Given after it, and kept. */
const REJECTED: Readonly<Record<string, AnswerOf>> = {
  '400': rejection(400),
  '404': rejection(404),
  '409': rejection(409),
  '422': rejection(422),
  '500-stored': failure(500),
  'not-json-400': plainText,
};
/** Given by something before the API in place of its own 201, which it keeps. */
const APPLIED: Readonly<Record<string, AnswerOf>> = {
  '500-applied': failure(500),
  '502-applied': failure(502),
  '503-applied': failure(503),
  '504-applied': failure(504),
};
const RETRY_AFTER = /^429:retry-after=([\d.]+)$/;
const CREATED = 201;
const IN_PROGRESS = 'IDEMPOTENCY_IN_PROGRESS';

/** @returns what was said to each send of one key; undefined where no answer was put on the wire */
export function saidTo(sends: readonly LedgerSend[]): (Said | undefined)[] {
  let kept: Said | undefined;
  return sends.map(({ step, status }) => {
    if (status === null) {
      // Nobody has seen it, and the API keeps it all the same.
      if (step !== null && isLookedUp(step)) kept ??= keptOf(step);
      return undefined;
    }
    if (step === null) return { status, askedMs: 0, stored: false };
    const asked = RETRY_AFTER.exec(step)?.[1];
    if (asked !== undefined) return { ...read(rateLimited()), askedMs: Math.ceil(Number(asked) * 1000) };
    const gateway = GATEWAY[step];
    if (gateway) return read(gateway);
    const own = APPLIED[step] ? read(APPLIED[step]) : keptOf(step);
    // Once its key has ended at the API it is the first one again.
    const likely = kept ? [{ ...kept, stored: true }, read(inProgress), own] : [own, read(inProgress)];
    kept ??= keptOf(step);
    const meant = likely.find((one) => one.status === status);
    return meant ?? { status, askedMs: 0, stored: false };
  });
}

const isLookedUp = (step: string): boolean =>
  !(step in GATEWAY) && !RETRY_AFTER.test(step) && !['hang', 'reset-before', 'truncated-500'].includes(step);

const keptOf = (step: string): Said =>
  REJECTED[step] ? read(REJECTED[step]) : { status: CREATED, hasRequestId: true, askedMs: 0, stored: false };

function read(answerOf: AnswerOf): Said {
  const { status, headers, body } = answerOf('a-request');
  const { code, message } = envelopeIn(body);
  return {
    status,
    code: code ?? `HTTP_${status}`,
    ...(message !== undefined && { message }),
    hasRequestId: headers['X-Request-Id'] !== undefined,
    askedMs: 0,
    stored: false,
  };
}

function envelopeIn(body: string): { code?: string; message?: string } {
  try {
    return JSON.parse(body) as { code?: string; message?: string };
  } catch {
    return {};
  }
}

export type Proof = 'applied' | 'not-applied' | 'doubt' | 'nothing';

/** Rejections that an API gives after it has looked the key up: nothing was applied under it. */
const AFTER_LOOKUP = [400, 404, 409, 422];
const UNAPPLIED = [503];

/** @param said undefined: no answer was read */
export function proofOf(said: Said | undefined): Proof {
  if (!said) return 'doubt';
  const { status, code } = said;
  if (status < 300) return 'applied';
  if (status < 400 || code === IN_PROGRESS) return 'doubt';
  if (AFTER_LOOKUP.includes(status)) return 'not-applied';
  return status < 500 || UNAPPLIED.includes(status) ? 'nothing' : 'doubt';
}

export const isInProgress = (said: Said | undefined): boolean => said?.code === IN_PROGRESS;

/** What may be said of a write of which this is known, in this order. */
export const verdictFrom = (proofs: readonly Proof[]): Verdict =>
  proofs.reduce<Verdict>((verdict, proof) => {
    if (verdict === 'applied-once' || proof === 'nothing') return verdict;
    return proof === 'applied' ? 'applied-once' : proof === 'doubt' ? 'in-doubt' : 'not-applied';
  }, 'not-applied');
