// I8: how long a retry has to wait, computed from the number of its attempt and from what the plan says the API asked for;
// and when it was sent, by the journal's clock and by the API's.
import type { Attempt } from '../../core/journal.ts';
import type { JudgedPolicy } from './evidence.ts';
import type { JoinedAttempt } from './joined.ts';
import type { Look, Measured } from './judgement.ts';

/** The rounding of two clocks. */
const ROUNDING_MS = 2;
/** A jitter of fewer whole ms is too coarse for a test of its distribution. */
const LEAST_RANGE_MS = 100;

export function judgeRetries(
  look: Look,
  measured: Measured,
  policy: JudgedPolicy,
  attempts: readonly JoinedAttempt[],
  isTimeKnown: boolean,
): void {
  attempts.forEach(({ attempt, seen }, i) => {
    if (attempt.disposition !== 'retry') return;
    const { delayMs } = attempt.wait ?? {};
    if (delayMs === undefined) return look('I8', false, `attempt ${i + 1} is tried again, and has no wait`);
    const base = Math.min(policy.baseMs * 2 ** i, policy.capMs);
    const range = base * policy.jitter;
    // Nobody has read what came too late.
    const said = attempt.outcome === 'response' ? seen?.said : undefined;
    const asked = Math.min(said?.askedMs ?? 0, policy.retryAfterCapMs);
    const [least, most] = [Math.max(base, asked), Math.max(base + range, asked)];
    look(
      'I8',
      delayMs >= least && delayMs <= most,
      `attempt ${i + 1} waits ${delayMs} ms, base ${base}, asked for ${asked}`,
    );
    if (asked <= base && range >= LEAST_RANGE_MS) measured.jitters.push((delayMs - base + 0.5) / range);
    const next = attempts[i + 1];
    if (isTimeKnown && next && next.attempt.lost === undefined)
      judgeTimes(look, measured, policy, { attempt, seen }, next, delayMs);
  });
}

function judgeTimes(
  look: Look,
  measured: Measured,
  { clocksDifferMs, answersBreak }: JudgedPolicy,
  { attempt, seen }: JoinedAttempt,
  next: JoinedAttempt,
  delayMs: number,
): void {
  const lateMs = next.attempt.at - (endOf(attempt) + delayMs);
  const which = `attempt ${next.attempt.attempt}`;
  look('I8', lateMs >= -ROUNDING_MS - clocksDifferMs, `${which} began ${-lateMs} ms before its time`);
  measured.latenessMs.push(lateMs);
  // Its answer came later than itself, where it had one; where clocks differ, the fault's own row says how early it may be.
  // What holds answers holds requests too, and one that was held came to the API later than it was sent.
  if (clocksDifferMs > 0 || answersBreak || attempt.outcome !== 'response' || !seen || !next.seen) return;
  const earlyMs = seen.send.at + delayMs - next.seen.send.at;
  look('I8', earlyMs <= ROUNDING_MS, `${which} was sent ${earlyMs} ms before its time, by the API's clock`);
}

const endOf = ({ at, durationMs }: Attempt): number => at + durationMs;
