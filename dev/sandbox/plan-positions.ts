// Which step of its plan a write has come to. Kept apart from the ledger, which a campaign may clear between its phases,
// and counted for the sends that reach the plan only: one that is refused before it must not skip a step.

export class PlanPositions {
  // Idempotency keys and payload hashes apart: a key may be spelled like a hash.
  readonly #ofKeys = new Map<string, number>();
  readonly #ofPayloads = new Map<string, number>();

  /** The index of the step to run now, from 0: counted per key, and without a key per payload. */
  advance(key: string | undefined, payloadSha256: string): number {
    const [positions, name] = key === undefined ? [this.#ofPayloads, payloadSha256] : [this.#ofKeys, key];
    const index = positions.get(name) ?? 0;
    positions.set(name, index + 1);
    return index;
  }
}
