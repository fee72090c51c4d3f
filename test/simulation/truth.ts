// What really happened in a history, whatever anybody noted down of it.

/** One life of an idempotency key at the API, as Waybill counts lives: a replay may begin another (core/replay.ts). */
export interface KeyLife {
  readonly key: string;
  /** A person accepted that this life may apply the write twice. */
  readonly accepted: boolean;
  /** True time of the first start, and of the first request that left, in it. */
  firstStartAt: number;
  firstSentAt: number;
}

/** What the settled starts of a generation have spent. */
export interface Spent {
  spent: number;
  postponed: number;
  /** When the first postponement was settled that was not a stopped worker's, by that worker's clock. */
  heldSince: number | undefined;
}

export interface GenerationTruth extends Spent {
  readonly number: number;
  readonly life: KeyLife;
  /** Starts, and those of them that were settled. */
  starts: number;
  settled: number;
  /** Requests that left. */
  sends: number;
  verdict: string | undefined;
}

/** One request on its way. */
export interface Send {
  readonly truth: GenerationTruth;
  readonly key: string;
  readonly payload: string;
}

export const newLife = (key: string, accepted: boolean): KeyLife => ({
  key,
  accepted,
  firstStartAt: Infinity,
  firstSentAt: Infinity,
});

export const newGeneration = (number: number, life: KeyLife): GenerationTruth => ({
  number,
  life,
  starts: 0,
  settled: 0,
  spent: 0,
  postponed: 0,
  heldSince: undefined,
  sends: 0,
  verdict: undefined,
});
