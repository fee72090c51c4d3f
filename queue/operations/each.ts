// Of several things, one that Redis refuses must not keep the others from being done.
import { isAway } from '../unavailable.ts';

/** @throws at once where Redis is away; else, when all were tried, the first error */
export async function each<T>(items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const failed: unknown[] = [];
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      if (isAway(error)) throw error;
      failed.push(error);
    }
  }
  if (failed.length > 0) throw failed[0];
}
