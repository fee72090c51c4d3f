// What must hold in every history, judged by what really happened. The numbers are those of the campaign's invariants
// (test/chaos/judge.ts); the others say what they are.
import { KEY_MARGIN_MS } from '../../core/admit.ts';
import type { DeadReason, Disposition, Policy } from '../../core/decide.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Verdict } from '../../core/verdict.ts';
import type { Agenda } from './agenda.ts';
import type { ModelQueue } from './model-queue.ts';
import type { Profile } from './profile.ts';
import type { GenerationTruth, KeyLife, Send, Spent } from './truth.ts';

export class Violation extends Error {}

export class Witness {
  /** How often the API applied the write, under whatever key. */
  applied = 0;
  /** How often a person accepted that it may be applied once more. */
  accepted = 0;
  #saidOnce = false;
  readonly #payloads = new Map<string, string>();
  readonly #profile: Profile;
  readonly #agenda: Agenda;

  constructor(profile: Profile, agenda: Agenda) {
    this.#profile = profile;
    this.#agenda = agenda;
  }

  started(truth: GenerationTruth): void {
    truth.starts++;
    truth.life.firstStartAt = Math.min(truth.life.firstStartAt, this.#agenda.now);
  }

  /** @param counted starts without a record, by the journal and the counter @param really how many there are */
  counted(counted: number, really: number): void {
    hold(counted === really, () => `I6 ${really} starts left no record, ${counted} were counted`);
  }

  /** A request is about to leave. @param clock of its worker when it was let through */
  sent({ truth }: Send, lost: number, clock: number, expiresAt: number | undefined): void {
    const { maxCrashes } = this.#profile.policy;
    hold(lost <= maxCrashes, () => `I11 sent after ${lost} lost starts; ${maxCrashes} are allowed`);
    hold(expiresAt === undefined || clock < expiresAt, () => 'expiry: sent after the write had expired');
    truth.sends++;
    truth.life.firstSentAt = Math.min(truth.life.firstSentAt, this.#agenda.now);
  }

  arrived({ truth: { life }, key, payload }: Send): void {
    const before = this.#payloads.get(key) ?? payload;
    this.#payloads.set(key, payload);
    hold(before === payload && key === life.key, () => `I7 ${key} came with another payload`);
    hold(
      this.#agenda.now < life.firstSentAt + this.#profile.policy.keyTtlMs,
      () => `key life: ${key} came ${this.#agenda.now - life.firstSentAt} ms after its first send`,
    );
  }

  /** A send met a key that the API had known and has forgotten. */
  forgotten({ truth: { life } }: Send, seenBy: KeyLife): void {
    hold(life !== seenBy || life.accepted, () => `key life: ${life.key} was forgotten between two sends of one life`);
  }

  applies({ truth }: Send): void {
    this.applied++;
    hold(
      this.applied <= 1 + this.accepted,
      () => `I3 applied ${this.applied} times; ${this.accepted} times a person accepted one more`,
    );
    hold(truth.verdict !== 'not-applied', () => 'I5 applied after the verdict not-applied');
    hold(!this.#saidOnce || this.applied === 1, () => 'I5 applied again after the verdict applied-once');
  }

  /** An attempt was decided about. @param before as the write was when it was taken @param clock of the worker */
  decided(outcome: Outcome, disposition: Disposition, before: Spent, maxAttempts: number, clock: number): void {
    const { policy, clockErrorMs } = this.#profile;
    const expected = expectedOf(outcome, policy);
    const spent = before.spent + 1;
    const last = spent >= maxAttempts;
    switch (disposition.kind) {
      case 'delivered':
        return hold(expected === 'delivered', () => `I4 ${nameOf(outcome)} was taken for a delivery`);
      case 'retry':
        hold(expected === 'retry' && !last, () => `retry after ${nameOf(outcome)}, attempt ${spent} of ${maxAttempts}`);
        return this.#waits(disposition.wait.delayMs, spent, retryAfterOf(outcome));
      case 'postpone':
        hold(expected === 'hold' || expected === 'stop', () => `${nameOf(outcome)} was postponed`);
        if (outcome.kind === 'response') {
          this.#waits(disposition.wait.delayMs, Math.min(before.postponed + 1, 32), outcome.retryAfterMs);
        }
        return;
      case 'dead': {
        const longestWaitMs = Math.max(policy.capMs * (1 + policy.jitter), 1000);
        const heldMs = before.heldSince === undefined ? 0 : clock - before.heldSince;
        const fits: Record<DeadReason, boolean> = {
          rejected: expected === 'reject',
          invalid: expected === 'invalid',
          exhausted:
            expected === 'retry'
              ? last
              : expected === 'hold' && heldMs + longestWaitMs + 2 * clockErrorMs > policy.keyTtlMs,
          crashed: false,
          'too-late': false,
          'key-expired': false,
        };
        return hold(fits[disposition.reason], () => `${nameOf(outcome)} made it dead as ${disposition.reason}`);
      }
    }
  }

  /** Was not let through. @param lost its starts without a record */
  refused(
    reason: DeadReason,
    truth: GenerationTruth,
    lost: number,
    clock: number,
    expiresAt: number | undefined,
  ): void {
    const { policy, clockErrorMs } = this.#profile;
    const marginMs = Math.min(KEY_MARGIN_MS, policy.keyTtlMs / 10);
    if (reason === 'crashed') hold(lost > policy.maxCrashes, () => `I11 crashed after ${lost} lost starts`);
    if (reason === 'too-late') hold(expiresAt !== undefined && clock >= expiresAt, () => 'too late before its expiry');
    if (reason === 'key-expired') {
      const endsAt = truth.life.firstStartAt + policy.keyTtlMs - marginMs - policy.timeoutMs;
      hold(
        this.#agenda.now + 2 * clockErrorMs >= endsAt,
        () => `key expired ${endsAt - this.#agenda.now} ms too early`,
      );
    }
  }

  delivered(truth: GenerationTruth, verdict: Verdict): void {
    hold(this.applied > 0, () => 'I4 delivered, and never applied');
    this.#said(truth, verdict);
  }

  died(truth: GenerationTruth, verdict: Verdict, lost: number): void {
    this.#said(truth, verdict);
    const cause = truth.sends + lost > 0 || truth.number > 0 || this.accepted > 0;
    hold(verdict !== 'in-doubt' || cause, () => 'in doubt, though nothing can have been sent');
  }

  #said(truth: GenerationTruth, verdict: Verdict): void {
    hold(verdict !== 'not-applied' || this.applied === 0, () => `I5 not-applied, but applied ${this.applied} times`);
    hold(verdict !== 'applied-once' || this.applied === 1, () => `I5 applied-once, but applied ${this.applied} times`);
    truth.verdict = verdict;
    if (verdict === 'applied-once') this.#saidOnce = true;
  }

  /** A replay was carried out. @param known whether the API would recognize the key that begins another life */
  replayed(key: 'same' | 'new', doubleAccepted: boolean, anotherLife: boolean, known: boolean): void {
    if (doubleAccepted) {
      this.accepted++;
      return;
    }
    hold(key === 'same' || this.applied === 0, () => 'I3 an applied write got a new key, and nobody accepted that');
    hold(!anotherLife || !known, () => 'key life: another began while the API still knew the key');
  }

  /** Nothing is left to do. */
  ended({ jobs, letters }: ModelQueue): void {
    for (const job of jobs) {
      const own = letters.filter((filed) => filed.job === job);
      const last = own.filter(({ truth }) => truth === job.truth);
      const ends = job.state === 'delivered' ? last.length === 0 : job.state === 'dead' && last.length === 1;
      hold(ends, () => `I1 I2 ${job.id} is ${job.state} and has ${last.length} dead letters of its last generation`);
      const ids = new Set(own.map(({ letter }) => letter.id));
      hold(ids.size === own.length, () => `I6 two dead letters of ${job.id} have one id`);
    }
  }

  #waits(delayMs: number, n: number, retryAfterMs: number | undefined): void {
    const { baseMs, capMs, jitter, retryAfterCapMs } = this.#profile.policy;
    const base = Math.min(baseMs * 2 ** (n - 1), capMs);
    const asked = Math.min(retryAfterMs ?? 0, retryAfterCapMs);
    const fits = delayMs >= Math.max(base, asked) && delayMs <= Math.max(base * (1 + jitter), asked);
    hold(fits, () => `I8 a wait of ${delayMs} ms where ${base} ms is the base and ${asked} ms were asked for`);
  }
}

type Expected = 'delivered' | 'retry' | 'hold' | 'stop' | 'reject' | 'invalid';

/** docs/contract.md, "What is retried", written down a second time. */
function expectedOf(outcome: Outcome, policy: Policy): Expected {
  if (outcome.kind === 'response') {
    const { status, replayed, envelope } = outcome;
    if (status >= 200 && status <= 299) return 'delivered';
    if (status === 429) return 'retry';
    if (status >= 500) return replayed ? 'reject' : 'retry';
    return status === 409 && policy.inProgressCodes.includes(envelope?.code ?? '') ? 'hold' : 'reject';
  }
  if (outcome.code === 'WAYBILL_SHUTDOWN') return 'stop';
  if (outcome.code === 'EMFILE') return 'hold';
  return outcome.code === 'UND_ERR_INVALID_ARG' ? 'invalid' : 'retry';
}

const retryAfterOf = (outcome: Outcome): number | undefined =>
  outcome.kind === 'response' ? outcome.retryAfterMs : undefined;

export const nameOf = (outcome: Outcome): string =>
  outcome.kind === 'response'
    ? `${outcome.status}${outcome.replayed ? ' (stored)' : ''}`
    : `${outcome.kind} ${outcome.code}`;

function hold(holds: boolean, otherwise: () => string): void {
  if (!holds) throw new Violation(otherwise());
}
