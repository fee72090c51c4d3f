// The dry run of a bulk operation: how many letters it would mean, what the rules say to them, what a person has to
// type. It changes nothing.
import { ACCEPT_DOUBLE_PHRASE, TYPED_ABOVE } from '../../core/bulk.ts';
import type { FiledLetter, UnreadableLetter } from '../dead-letters.ts';
import { refused as refusedError, type ReplayOptions, ruleOnReplay } from '../operate.ts';
import type { Reader } from '../reader.ts';
import { checkOptions, countMeant, lettersMeant, stateFor } from './meant.ts';
import type { Confirmation, Plan, PlanRequest } from './operation.ts';

/** The rules are asked about so many; the others are counted. */
const EXAMINED = 1000;
const SAMPLE = 5;

/**
 * @throws WaybillError NOT_FOUND for a destination that was never used · INVALID_WRITE for options that do not belong to
 *   the act · the reason of a signal that ends it
 */
export async function planOperation(reader: Reader, request: PlanRequest, signal?: AbortSignal): Promise<Plan> {
  checkOptions(request);
  await reader.destinations(request.destination);
  const frozenAt = await reader.now();
  const { count, atLeast } = await countMeant(reader, request, frozenAt, signal);
  const plan: Plan = {
    act: request.act,
    destination: request.destination,
    count,
    atLeast,
    examined: 0,
    allowed: 0,
    refused: [],
    doubles: 0,
    advice: [],
    verdicts: {},
    sample: [],
    frozenAt,
    confirm: confirmationOf(request, count),
  };
  for await (const letter of lettersMeant(reader, request, frozenAt, signal)) {
    if (plan.examined === EXAMINED) break;
    plan.examined += 1;
    examine(plan, request, letter, frozenAt);
  }
  return plan;
}

/** What a person has to type. */
export function confirmationOf({ acceptDouble }: PlanRequest, count: number): Confirmation {
  return {
    ...(count > TYPED_ABOVE && { count }),
    ...(acceptDouble === true && { phrase: ACCEPT_DOUBLE_PHRASE }),
  };
}

/** What the rules of a replay are asked; each item's own key is made when it is replayed. */
export const replayOptionsOf = (
  { newKey, acceptDouble, ignoreExpiry }: Pick<PlanRequest, 'newKey' | 'acceptDouble' | 'ignoreExpiry'>,
  key: string | true,
): ReplayOptions => ({
  ...(newKey === true && { newKey: key }),
  ...(acceptDouble === true && { acceptDouble }),
  ...(ignoreExpiry === true && { ignoreExpiry }),
});

function examine(plan: Plan, request: PlanRequest, letter: FiledLetter | UnreadableLetter | string, now: number): void {
  if (typeof letter === 'string') return putRefused(plan, letter, 'NOT_FOUND', 'no such dead letter stands there');
  const { id } = letter;
  const verdict = letter.verdict ?? 'in-doubt';
  plan.verdicts[verdict] = (plan.verdicts[verdict] ?? 0) + 1;
  if (plan.sample.length < SAMPLE) plan.sample.push(letter);
  if (letter.state !== stateFor(request.act)) return putRefused(plan, id, 'LETTER_HANDLED', `it is ${letter.state}`);
  if (request.act !== 'replay') return void (plan.allowed += 1);
  const ruling = 'unreadable' in letter ? undefined : ruleOnReplay(letter, replayOptionsOf(request, true), now);
  if (!ruling?.allowed || !letter.write) {
    const { field = 'NOT_A_WRITE', message } = refusedError(id, ruling);
    return putRefused(plan, id, field, ruling && !ruling.allowed ? ruling.because : message);
  }
  plan.allowed += 1;
  if (ruling.doubleAccepted) plan.doubles += 1;
  const { advice } = ruling;
  const same = plan.advice.find(({ text }) => text === advice);
  if (same) same.count += 1;
  else if (advice !== undefined) plan.advice.push({ text: advice, count: 1 });
  const { keyUsableUntil } = letter;
  if (request.newKey !== true && keyUsableUntil !== undefined && keyUsableUntil > now)
    plan.firstKeyEndsAt = Math.min(plan.firstKeyEndsAt ?? Infinity, keyUsableUntil);
}

function putRefused(plan: Plan, id: string, refusal: string, because: string): void {
  const same = plan.refused.find((one) => one.refusal === refusal);
  if (!same) return void plan.refused.push({ refusal, because, count: 1, sample: [id] });
  same.count += 1;
  if (same.sample.length < SAMPLE) same.sample.push(id);
}
