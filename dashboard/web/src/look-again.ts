// Looks again every few seconds while something goes on of which no event tells: a write under way, an operation.
import { useEffect, useRef } from 'preact/hooks';
import { paused } from './live.ts';

const LOOK_MS = 2000;

export function useLookAgain(goesOn: boolean, look: () => void): void {
  const latest = useRef(look);
  latest.current = look;
  const active = goesOn && !paused.value;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => latest.current(), LOOK_MS);
    return () => clearInterval(timer);
  }, [active]);
}
