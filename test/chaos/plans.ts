// What each write will meet at the API, and what must become of it whatever happens to Waybill meanwhile. The n-th send
// of a key takes the n-th step of its plan, and `ok` after the last. Crashes make sends that no attempt counts; so a plan
// that ends in success may be cut short by any of them, and one that ends in death repeats itself.
import type { Chance } from './chance.ts';

export type Ending = 'delivered' | 'dead';

export interface Plan {
  readonly steps: readonly string[];
  readonly ending: Ending;
}

/** More sends than any write can have. */
const FOR_EVER = 40;

const always = (step: string): Plan => ({ steps: Array.from({ length: FOR_EVER }, () => step), ending: 'dead' });
const succeeds = (...steps: string[]): Plan => ({ steps, ending: 'delivered' });
/** The API looks the key up and keeps its answer under it. */
const rejected = (step: string): Plan => ({ steps: [step], ending: 'dead' });

/** With their weights. */
const PLANS: readonly (readonly [number, Plan])[] = [
  [40, succeeds('ok')],
  [6, succeeds('slow:60')],
  [6, succeeds('503')],
  [4, succeeds('503', '429')],
  [4, succeeds('500', '502', '504')],
  [3, succeeds('429:retry-after=0')],
  [1, succeeds('429:retry-after=1')],
  [4, succeeds('reset-before')],
  [5, succeeds('reset-after')],
  [3, succeeds('500-applied')],
  [3, succeeds('502-applied', '503')],
  [2, succeeds('truncated')],
  [2, succeeds('html-502', 'empty-500')],
  [2, succeeds('in-progress', 'in-progress')],
  [1, succeeds('hang')],
  [1, succeeds('hang-applied')],
  [3, rejected('400')],
  [2, rejected('404')],
  [2, rejected('409')],
  [3, rejected('422')],
  [1, rejected('not-json-400')],
  [1, always('401')],
  [2, always('403')],
  [1, always('echo-403')],
  [1, always('302')],
  [2, always('503')],
  [1, always('500')],
  [1, { steps: ['500-applied', ...always('500').steps], ending: 'dead' }],
];

/** Each step that a plan may have. */
export const PLAN_STEPS: readonly string[] = [...new Set(PLANS.flatMap(([, { steps }]) => steps))];

const WEIGHT = PLANS.reduce((sum, [weight]) => sum + weight, 0);

/** @param without none that has this step @returns one of the plans, by their weights */
export function drawPlan(random: Chance, without?: string): Plan {
  const drawn = draw(random);
  return without !== undefined && drawn.steps.includes(without) ? drawPlan(random, without) : drawn;
}

function draw(random: Chance): Plan {
  let left = random.next() * WEIGHT;
  for (const [weight, plan] of PLANS) {
    left -= weight;
    if (left < 0) return plan;
  }
  return succeeds('ok');
}

export const PLAN_OK = succeeds('ok');
