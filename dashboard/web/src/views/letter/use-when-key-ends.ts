// Once a key can be used no more the rules judge a replay otherwise: the letter is looked at again.
import { useEffect } from 'preact/hooks';
import { serverNow } from '../../now.ts';

/** What a timer of the browser's can wait; it calls at once when given more. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Redis's clock, by which the rules are asked, may be a little behind. */
const AFTER_MS = 500;

export function useWhenKeyEnds(usableUntil: number | undefined, look: () => void): void {
  useEffect(() => {
    const leftMs = usableUntil === undefined ? 0 : usableUntil - serverNow();
    if (leftMs <= 0 || leftMs > MAX_TIMER_MS - AFTER_MS) return;
    const timer = setTimeout(look, leftMs + AFTER_MS);
    return () => clearTimeout(timer);
  }, [usableUntil]);
}
