// The form of another policy, read: seconds and per cent as people type them, ms and shares as the API takes them. Pure.
import type { WhatIfRequest } from '../../../../api/contract/what-if.ts';

export interface PolicyFields {
  maxAttempts: string;
  /** Seconds. */
  cap: string;
  base: string;
  /** Per cent. */
  jitter: string;
}

interface Bounds {
  scale: number;
  whole?: true;
  min: number;
  max: number;
  words: string;
}

/** As the contract has them (dashboard/api/contract/what-if.ts), in the units of the form. */
const BOUNDS: Record<keyof PolicyFields, Bounds> = {
  maxAttempts: { scale: 1, whole: true, min: 1, max: 1000, words: 'a whole number from 1 to 1,000' },
  cap: { scale: 1000, min: 0.001, max: 86_400, words: 'seconds, up to 86,400' },
  base: { scale: 1000, min: 0.001, max: 3600, words: 'seconds, up to 3,600' },
  jitter: { scale: 0.01, min: 0, max: 100, words: 'per cent, from 0 to 100' },
};
const NAMES = { maxAttempts: 'maxAttempts', cap: 'capMs', base: 'baseMs', jitter: 'jitter' } as const;

export function readPolicy(fields: PolicyFields): {
  policy?: WhatIfRequest['policy'];
  faults: Partial<Record<keyof PolicyFields, string>>;
} {
  const policy: WhatIfRequest['policy'] = {};
  const faults: Partial<Record<keyof PolicyFields, string>> = {};
  for (const name of Object.keys(BOUNDS) as (keyof PolicyFields)[]) {
    const { scale, whole, min, max, words } = BOUNDS[name];
    const text = fields[name].trim().replace(',', '.');
    if (text === '') continue;
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) faults[name] = `Allowed: ${words}`;
    else policy[NAMES[name]] = scale === 1000 ? Math.round(value * scale) : Number((value * scale).toFixed(4));
  }
  return Object.keys(faults).length > 0 ? { faults } : { policy, faults };
}
