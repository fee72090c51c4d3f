// I9: writes that a worker had in hand when it was killed, or when harm ended. Each has to come out of the start that it
// was in: settled, or taken back from whoever is gone.
import { type Campaign, DESTINATION } from './campaign.ts';
import { until } from './until.ts';

const WATCHED_MS = 30_000;
const LOOK_MS = 25;

/**
 * @param worker only what this one has in hand; all that is, when left out
 * @returns how long each was held after now, ms; Infinity for what is held for longer than is watched
 * @throws when Redis cannot be asked
 */
export async function watchOrphans({ reader }: Pick<Campaign, 'reader'>, worker?: string): Promise<number[]> {
  const { client } = reader;
  const queue = reader.queue(DESTINATION);
  const began = performance.now();
  const startsOf = (ids: readonly string[]): Promise<(string | null)[][]> =>
    Promise.all(ids.map((id) => client.hmget(queue.toKey(id), 'ats', 'pb')));
  const ids = await client.lrange(queue.toKey('active'), 0, -1);
  const before = await startsOf(ids);
  let held = ids
    .map((id, i) => ({ id, starts: before[i]?.[0], by: before[i]?.[1] }))
    .filter(({ by }) => worker === undefined || by === worker);
  const took: number[] = [];
  await until(
    'what workers had in hand is taken back',
    async () => {
      const active = new Set(await client.lrange(queue.toKey('active'), 0, -1));
      const now = await startsOf(held.map(({ id }) => id));
      const still = held.filter(({ id, starts }, i) => active.has(id) && now[i]?.[0] === starts);
      const ms = performance.now() - began;
      took.push(...Array.from({ length: held.length - still.length }, () => ms));
      held = still;
      return held.length === 0;
    },
    WATCHED_MS,
    LOOK_MS,
  ).catch((error: unknown) => {
    if (held.length === 0) throw error;
  });
  return [...took, ...held.map(() => Infinity)];
}

/** At once: each is looked at every 25 ms. */
const MOST_WATCHED = 8;

/** What workers that die had in hand somebody else has to take over. */
export class DeathWatch {
  /** How long each write was held after the death of its worker, ms. */
  readonly heldMs: number[] = [];
  watched = 0;
  unwatched = 0;
  #watching = 0;

  /** @param canBeTaken whether anybody lives who could take it */
  watch(campaign: Pick<Campaign, 'reader'>, worker: string, canBeTaken: boolean): void {
    if (!canBeTaken || this.#watching >= MOST_WATCHED) {
      this.unwatched += 1;
      return;
    }
    this.#watching += 1;
    watchOrphans(campaign, worker)
      .then((held) => {
        this.heldMs.push(...held);
        this.watched += 1;
      })
      // Redis is a victim too.
      .catch(() => (this.unwatched += 1))
      .finally(() => (this.#watching -= 1));
  }
}
