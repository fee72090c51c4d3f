// Reads the plan that a write carries in its own body, { "sandbox": { "plan": ["503", "reset-after", "ok"] } }: the n-th
// send of a key that carries a plan runs step n, every later one `ok`. A wrong plan is refused whole, so that no test runs half of it.

import { isRecord } from '../../core/json.ts';
import type { ApiError } from './answer.ts';
import { ALLOWED_STEPS, parseStep, type Step } from './steps.ts';

export interface NamedStep {
  readonly name: string;
  readonly step: Step;
}

export type Plan =
  | { readonly kind: 'none' }
  | { readonly kind: 'steps'; readonly steps: readonly NamedStep[] }
  | { readonly kind: 'invalid'; readonly error: ApiError };

export const OK: NamedStep = namedStep('ok');

/** `body` is the parsed JSON body, or undefined where it is not JSON: that has no plan. */
export function readPlan(body: unknown): Plan {
  if (!isRecord(body) || !Object.hasOwn(body, 'sandbox')) return { kind: 'none' };
  const plan = readSteps(body['sandbox']);
  if (plan === undefined) return invalid('"sandbox" must be an object with one member, "plan", an array of steps.');
  const steps: NamedStep[] = [];
  for (const name of plan) {
    const step = typeof name === 'string' ? parseStep(name) : undefined;
    if (typeof name !== 'string' || step === undefined) return invalid(`${JSON.stringify(name)} is not a step.`);
    steps.push({ name, step });
  }
  return { kind: 'steps', steps };
}

function readSteps(sandbox: unknown): readonly unknown[] | undefined {
  if (!isRecord(sandbox) || Object.keys(sandbox).some((member) => member !== 'plan')) return undefined;
  return Array.isArray(sandbox['plan']) ? sandbox['plan'] : undefined;
}

/** Throws a RangeError for a name that is not a step. */
export function namedStep(name: string): NamedStep {
  const step = parseStep(name);
  if (step === undefined) throw new RangeError(`${JSON.stringify(name)} is not a step.`);
  return { name, step };
}

function invalid(why: string): Plan {
  const message = `${why} Allowed steps: ${ALLOWED_STEPS.join(', ')}.`;
  const details = { field: 'sandbox.plan', allowed: ALLOWED_STEPS };
  return { kind: 'invalid', error: { status: 400, code: 'SANDBOX_PLAN_INVALID', message, details } };
}
