// The plan steps: one table of what the sandbox can do with a send, and the strict reading of a step's name.
//
// A step acts in one of three ways. `gateway`: something before the API answers; the key is not looked up, nothing is
// applied or stored, and it fires even where the key has a stored answer. `reject`: the API looks the key up, applies
// nothing and stores this answer. `apply`: the API looks the key up, validates, applies, stores its own answer (201, or
// the 400 of an invalid body), and then the step decides what the client sees of it.

import type { AnswerOf } from './answer.ts';
import * as say from './step-answers.ts';
import {
  afterEarlyHints,
  answering,
  type Delivery,
  dripping,
  hang,
  reset,
  truncated,
  type Wire,
  whole,
} from './wire.ts';

export type Step =
  | { readonly kind: 'gateway'; readonly deliver: (wire: Wire) => Promise<void> }
  | { readonly kind: 'reject'; readonly answer: AnswerOf }
  /** `holdMs`: for how long the key stays in progress after the effect was applied. */
  | { readonly kind: 'apply'; readonly deliver: Delivery; readonly holdMs: number };

const gateway = (deliver: (wire: Wire) => Promise<void>): Step => ({ kind: 'gateway', deliver });
const reject = (answer: AnswerOf): Step => ({ kind: 'reject', answer });
const apply = (deliver: Delivery, holdMs = 0): Step => ({ kind: 'apply', deliver, holdMs });

const credentialOf = ({ response }: Wire): string => String(response.req.headers['x-api-key'] ?? '');

const FIXED_STEPS = {
  ok: apply(whole),
  'early-hints': apply(afterEarlyHints),
  '302': gateway(answering(say.rejection(302))),
  '400': reject(say.rejection(400)),
  '401': gateway(answering(say.rejection(401))),
  '402': gateway(answering(say.rejection(402))),
  '403': gateway(answering(say.rejection(403))),
  '404': reject(say.rejection(404)),
  '409': reject(say.rejection(409)),
  '410': gateway(answering(say.rejection(410))),
  '422': reject(say.rejection(422)),
  '429': gateway(answering(say.rateLimited())),
  '500': gateway(answering(say.failure(500))),
  '502': gateway(answering(say.failure(502))),
  '503': gateway(answering(say.failure(503))),
  '504': gateway(answering(say.failure(504))),
  '599': gateway(answering(say.failure(599))),
  '500-applied': apply(answering(say.failure(500))),
  '502-applied': apply(answering(say.failure(502))),
  '503-applied': apply(answering(say.failure(503))),
  '504-applied': apply(answering(say.failure(504))),
  '599-applied': apply(answering(say.failure(599))),
  '500-stored': reject(say.failure(500)),
  'reset-before': gateway(reset),
  'reset-after': apply(reset),
  hang: gateway(hang),
  'hang-applied': apply(hang),
  truncated: apply(truncated),
  'truncated-500': gateway(answering(say.failure(500), truncated)),
  'html-502': gateway(answering(say.proxyHtml)),
  'empty-500': gateway(answering(say.emptyBody)),
  'not-json-400': reject(say.plainText),
  'problem-422': reject(say.problemDetails),
  'requestId-400': reject(say.camelCaseRequestId),
  'in-progress': gateway(answering(say.inProgress)),
  'echo-403': gateway((wire) => whole(wire, say.credentialEcho(wire.requestId, credentialOf(wire)))),
} as const satisfies Record<string, Step>;

interface NumberedStep {
  readonly unit: 'MS' | 'KB' | 'SECONDS';
  /** A number above it is refused. */
  readonly max: number;
  readonly decimals?: true;
  /** `text` is the number as it was spelled. */
  readonly step: (value: number, text: string) => Step;
}

/** Steps with a number right after their prefix. */
const NUMBERED_STEPS = {
  'slow:': { unit: 'MS', max: 600_000, step: (ms) => apply(whole, ms) },
  'drip-500:': {
    unit: 'MS',
    max: 600_000,
    step: (ms) => gateway(answering(say.failure(500), dripping(ms))),
  },
  'big-500:': { unit: 'KB', max: 16_384, step: (kib) => gateway(answering(say.bigFailure(kib))) },
  '429:retry-after=': {
    unit: 'SECONDS',
    max: 86_400,
    decimals: true,
    step: (_seconds, text) => gateway(answering(say.rateLimited(() => text))),
  },
  '429:retry-after-date=': {
    unit: 'SECONDS',
    max: 86_400,
    step: (seconds) => gateway(answering(say.rateLimited(() => say.httpDateAhead(seconds)))),
  },
} as const satisfies Record<string, NumberedStep>;

/** The name of a plan step, and of a random fault: both are the same table. */
export type StepName = keyof typeof FIXED_STEPS | `${keyof typeof NUMBERED_STEPS}${number}`;

/** Every step's spelling, numbers as their unit: `slow:MS`. */
export const ALLOWED_STEPS: readonly string[] = [
  ...Object.keys(FIXED_STEPS),
  ...Object.entries(NUMBERED_STEPS).map(([prefix, { unit }]) => `${prefix}${unit}`),
];

const FIXED_BY_NAME = new Map<string, Step>(Object.entries(FIXED_STEPS));
const NUMBERED_BY_PREFIX = new Map<string, NumberedStep>(Object.entries(NUMBERED_STEPS));

/** The step of this name, or undefined where the name is not spelled exactly as the table has it. */
export function parseStep(name: string): Step | undefined {
  const fixed = FIXED_BY_NAME.get(name);
  if (fixed !== undefined) return fixed;
  const [, prefix = '', text = ''] = /^(.*[:=])((?:0|[1-9]\d*)(?:\.\d+)?)$/.exec(name) ?? [];
  const numbered = NUMBERED_BY_PREFIX.get(prefix);
  if (numbered === undefined || Number(text) > numbered.max) return undefined;
  return text.includes('.') && numbered.decimals !== true ? undefined : numbered.step(Number(text), text);
}
