// One start of a write in a worker, as queue/consumer.ts, worker/process.ts and queue/settle.ts go about it, and all that
// can happen to the worker meanwhile: it dies, stands still past its lock and goes on, cannot renew its lock, is stopped.
import type { Disposition } from '../../core/decide.ts';
import type { Attempt, Journal } from '../../core/journal.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Write } from '../../core/write.ts';
import { deadLetter } from '../../queue/letter.ts';
import { nameOf } from './invariants.ts';
import type { Answer } from './model-api.ts';
import type { Job } from './model-queue.ts';
import { letterFiled } from './operator.ts';
import type { GenerationTruth, Send, Spent } from './truth.ts';
import type { World } from './world.ts';

/** A job that waits, or will, is taken once a worker has a place for it. */
export function takeLater(world: World, job: Job, dueAt?: number): void {
  const worker = world.chance.between(0, world.profile.clocks.length - 1);
  const untilDueMs = dueAt === undefined ? 0 : world.untilDue(dueAt, world.profile.clocks[worker] ?? 0);
  world.agenda.after(untilDueMs + world.drawLag(), () => {
    if (job.state === 'waiting' || job.state === 'delayed') new Start(world, job, worker).begin();
  });
}

/** What can go wrong before and in a send, without the API's help. */
const LOCAL_TROUBLE = [
  'ECONNREFUSED',
  'ECONNREFUSED',
  'EMFILE',
  'CERT_HAS_EXPIRED',
  'WAYBILL_SHUTDOWN',
  'UND_ERR_INVALID_ARG',
];

class Start {
  readonly #world: World;
  readonly #job: Job;
  readonly #name: string;
  readonly #clockMs: number;
  readonly #token: number;
  readonly #truth: GenerationTruth;
  readonly #takenAt: number;
  readonly #taken: { enqueuedAt: number; expiresAt: number | undefined };
  /** As it was taken. */
  readonly #journal: Journal;
  readonly #starts: number;
  /** Lost starts before this one, by the truth. */
  readonly #reallyLost: number;
  readonly #before: Spent;
  #lost = 0;
  #lostAt: number | undefined;
  #startedAt = 0;
  /** The attempt asks for patience. */
  #held = false;
  /** Its attempt was observed, or never will be. */
  #isOver = false;
  #isDead = false;
  #awakeAt = 0;

  constructor(world: World, job: Job, worker: number) {
    this.#world = world;
    this.#job = job;
    this.#name = `worker ${worker}`;
    this.#clockMs = world.profile.clocks[worker] ?? 0;
    this.#truth = job.truth;
    const { starts, settled, spent, postponed, heldSince } = job.truth;
    this.#reallyLost = starts - settled;
    this.#before = { spent, postponed, heldSince };
    world.witness.started(job.truth);
    this.#takenAt = this.#clock();
    this.#taken = { enqueuedAt: job.enqueuedAt, expiresAt: job.expiresAt };
    this.#token = world.queue.take(job, this.#takenAt);
    this.#journal = job.journal;
    this.#starts = job.starts;
  }

  begin(): void {
    this.#world.tally.add('start');
    this.#world.say?.(`${this.#name} takes ${this.#world.describe(this.#job)}: start ${this.#starts}`);
    this.#step('once it has taken the write', () => this.#admit());
  }

  #admit(): void {
    const { rules, profile, queue, agenda, witness, tally, say } = this.#world;
    const { expiresAt } = this.#taken;
    const journal = this.#journal;
    this.#startedAt = this.#clock();
    const lost = rules.unrecordedStarts(journal, this.#starts);
    witness.counted(journal.lost + lost, this.#reallyLost);
    this.#lost = lost;
    // As withLostAt in queue/consumer.ts.
    if (lost > 0) {
      const recorded = this.#world.queue.lostAt(this.#job, this.#takenAt);
      this.#lostAt = Math.min(recorded ?? this.#taken.enqueuedAt, this.#startedAt);
    }
    const limits = {
      takenAt: this.#takenAt,
      ...(this.#lostAt !== undefined && { lostAt: this.#lostAt }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const refused = rules.admit(journal, lost, limits, profile.policy, this.#startedAt);
    if (!refused) return this.#send();
    // One that has lost its lock may refuse what it likes: it is refused itself.
    if (queue.holds(this.#job, this.#token, agenda.now))
      witness.refused(refused.reason, this.#truth, this.#reallyLost, this.#startedAt, expiresAt);
    tally.add(`admit: ${refused.reason}`);
    say?.(`${this.#name} may not send it: ${refused.because}`);
    this.#settle(refused, journal, lost);
  }

  #send(): void {
    const { agenda, profile, chance } = this.#world;
    const leavesBy = agenda.now + profile.policy.timeoutMs + profile.lateMs;
    const freezeMs = leavesBy - agenda.now;
    this.#step(
      'before the POST',
      () => {
        if (this.#world.inTrouble() && chance.next() < 0.15) {
          return this.#observe({ kind: 'not-sent', code: chance.pick(LOCAL_TROUBLE), durationMs: 0 });
        }
        this.#post(leavesBy - agenda.now);
      },
      freezeMs,
    );
  }

  /** @param arrivesWithinMs the request reaches the API by then or never (Profile.lateMs) */
  #post(arrivesWithinMs: number): void {
    const { agenda, api, chance, profile, witness, tally, say } = this.#world;
    const { timeoutMs } = profile.policy;
    const send: Send = { truth: this.#truth, key: this.#truth.life.key, payload: this.#job.payload };
    witness.sent(send, this.#reallyLost, this.#startedAt, this.#taken.expiresAt);
    tally.add('send');
    say?.(`${this.#name} sends ${send.key}`);
    const noAnswer = (code: string): void => this.#observe({ kind: 'no-answer', code, durationMs: timeoutMs });
    agenda.after(timeoutMs, () => noAnswer('WAYBILL_DEADLINE'));

    const inTrouble = this.#world.inTrouble();
    const travelMs = inTrouble && chance.next() < 0.5 ? chance.between(0, arrivesWithinMs) : chance.between(0, 20);
    const back = (answer: Answer | undefined): void => {
      agenda.after(chance.between(0, 20), () => (answer ? this.#observe(responseOf(answer)) : noAnswer('ECONNRESET')));
    };
    if (!inTrouble || chance.next() < 0.8) {
      agenda.after(Math.min(travelMs, arrivesWithinMs), () => api.receive(send, back));
    }
    // Its own connection may break, or its worker be stopped, while the request goes on.
    if (inTrouble && chance.next() < 0.3) {
      const code = chance.pick(['ECONNRESET', 'WAYBILL_SHUTDOWN']);
      agenda.after(chance.between(0, Math.min(timeoutMs, 200)), () => noAnswer(code));
    }
    this.#whileAtTheApi();
  }

  #whileAtTheApi(): void {
    const { agenda, chance, profile } = this.#world;
    const afterMs = chance.between(0, Math.min(profile.policy.timeoutMs, 200));
    switch (this.#drawFate()) {
      case 'crash':
        return agenda.after(afterMs, () => {
          if (!this.#isOver) this.#die('while the API has its request');
        });
      case 'freeze':
        return this.#freeze('while the API has its request', this.#drawFreezeMs());
      case 'unrenewed':
        return this.#unrenewed();
      case undefined:
    }
  }

  /** The first that is observed is the outcome. */
  #observe(outcome: Outcome): void {
    if (this.#isOver) return;
    const { agenda, rules, profile, chance, witness, tally, say } = this.#world;
    if (agenda.now < this.#awakeAt) return agenda.after(this.#awakeAt - agenda.now, () => this.#observe(outcome));
    this.#isOver = true;
    const { policy, maxAttempts } = profile;
    const journal = this.#journal;
    const now = this.#clock();
    // As worker/process.ts.
    const disposition = rules.decide(outcome, journal, maxAttempts, policy, now, chance.next());
    const keyAlive = rules.keyOutlives(
      rules.firstSentAt(journal, this.#lost, this.#lostAt) ?? this.#startedAt,
      policy,
      now,
    );
    const evidence = rules.evidenceOf(outcome, policy, keyAlive);
    const entry: Attempt = {
      attempt: journal.attempts.length + 1,
      at: this.#startedAt,
      durationMs: outcome.kind === 'blocked' ? 0 : outcome.durationMs,
      outcome: outcome.kind,
      evidence,
      disposition: disposition.kind,
      ...(outcome.kind === 'response' ? { status: outcome.status } : { code: outcome.code }),
      ...(outcome.kind === 'response' && outcome.replayed && { replayed: true }),
      ...('wait' in disposition && { wait: disposition.wait }),
      ...(this.#lost > 0 && { lost: this.#lost }),
    };
    tally.add(
      `decide: ${nameOf(outcome)} ${disposition.kind}${disposition.kind === 'dead' ? ` ${disposition.reason}` : ''}`,
    );
    if (!keyAlive) tally.add('evidence: after the life of the key');
    say?.(`${this.#name} observes ${nameOf(outcome)}, evidence ${evidence}: ${explain(disposition)}`);
    witness.decided(outcome, disposition, this.#before, journal.probe ? 1 : maxAttempts, now);
    this.#held = expectsHold(outcome);
    this.#settle(disposition, rules.record(journal, entry, this.#lostAt), 0);
  }

  #settle(disposition: Disposition, journal: Journal, lost: number): void {
    this.#step('before it settles', () => {
      const { queue, agenda, tally, say } = this.#world;
      const job = this.#job;
      if (!queue.holds(job, this.#token, agenda.now)) {
        tally.add('settle: refused, the lock is lost');
        return say?.(`${this.#name} is refused: its lock is lost`);
      }
      this.#truth.settled++;
      this.#carryOut(disposition, journal, lost);
      // Should the worker die now, or ask a second time because the answer got lost, nothing changes any more.
      if (queue.holds(job, this.#token, agenda.now)) throw new Error('a settled write is still held');
    });
  }

  #carryOut(disposition: Disposition, journal: Journal, lost: number): void {
    const { queue, agenda, rules, profile, witness, tally, say } = this.#world;
    const job = this.#job;
    const truth = this.#truth;
    switch (disposition.kind) {
      case 'retry':
      case 'postpone':
        if (disposition.kind === 'retry') truth.spent++;
        else truth.postponed++;
        if (this.#held) truth.heldSince ??= this.#startedAt;
        queue.delay(job, this.#token, agenda.now, journal);
        return takeLater(this.#world, job, this.#clock() + disposition.wait.delayMs);
      case 'delivered': {
        // The queue judges by the journal that was taken with the write, as WaybillBackend.moveToCompleted does.
        const verdict = rules.verdictOfDelivered(this.#journal);
        queue.deliver(job, this.#token, agenda.now, journal);
        tally.add(`end: delivered ${verdict}`);
        say?.(`${job.id} is delivered: ${verdict}`);
        return witness.delivered(truth, verdict);
      }
      case 'dead': {
        const letter = deadLetter(
          {
            destination: 'sms',
            jobId: job.id,
            enqueuedAt: job.enqueuedAt,
            reason: disposition.reason,
            because: disposition.because,
            lost,
            ...(this.#lostAt !== undefined && { lostAt: this.#lostAt }),
            journal,
            write: writeOf(job),
          },
          profile.policy,
          this.#clock(),
        );
        const filed = queue.file(job, this.#token, agenda.now, { ...letter, verdict: rules.verdictOf(journal, lost) });
        if (!filed) return;
        tally.add(`end: ${disposition.reason} ${filed.letter.verdict}`);
        say?.(`${job.id} is dead as ${disposition.reason}: ${filed.letter.verdict}`);
        witness.died(truth, filed.letter.verdict, this.#reallyLost);
        return letterFiled(this.#world, filed);
      }
    }
  }

  /** Goes on, unless something happens to the worker here. */
  #step(where: string, goOn: () => void, longestMs = Infinity): void {
    switch (this.#drawFate()) {
      case 'crash':
        return this.#die(where);
      case 'freeze': {
        const ms = Math.min(this.#drawFreezeMs(), longestMs);
        this.#freeze(where, ms);
        return this.#world.agenda.after(ms, goOn);
      }
      case 'unrenewed':
        this.#unrenewed();
        return goOn();
      case undefined:
        return goOn();
    }
  }

  #drawFate(): 'crash' | 'freeze' | 'unrenewed' | undefined {
    const { chance, profile } = this.#world;
    if (this.#world.faultsLeft === 0) return undefined;
    const drawn = chance.next();
    const { crash, freeze, unrenewed } = profile;
    if (drawn >= crash + freeze + unrenewed) return undefined;
    this.#world.faultsLeft--;
    if (drawn < crash) return 'crash';
    return drawn < crash + freeze ? 'freeze' : 'unrenewed';
  }

  #drawFreezeMs(): number {
    return this.#world.chance.between(1, this.#world.profile.lockMs * 3);
  }

  #die(where: string): void {
    this.#isOver = true;
    this.#isDead = true;
    this.#world.tally.add(`crash: ${where}`);
    this.#world.say?.(`${this.#name} is killed ${where}`);
    this.#loseLock();
  }

  #freeze(where: string, ms: number): void {
    const { agenda, queue, tally, say } = this.#world;
    tally.add('freeze');
    say?.(`${this.#name} stands still ${where} for ${ms} ms`);
    this.#awakeAt = agenda.now + ms;
    this.#loseLock();
    agenda.after(ms, () => {
      if (this.#isDead) return;
      if (!queue.holds(this.#job, this.#token, agenda.now)) tally.add('zombie');
      queue.renew(this.#job, this.#token, agenda.now);
    });
  }

  #unrenewed(): void {
    this.#world.tally.add('lock not renewed');
    this.#world.say?.(`${this.#name} cannot renew its lock any more`);
    this.#loseLock();
  }

  /** The lock was renewed half its time ago at the most; two looks of the stalled check take the write back. */
  #loseLock(): void {
    const { agenda, chance, profile, queue, tally, say } = this.#world;
    const job = this.#job;
    const leftMs = chance.between(profile.lockMs / 2, profile.lockMs);
    queue.unrenewed(job, this.#token, agenda.now + leftMs);
    agenda.after(leftMs + chance.between(1, 2 * profile.stalledIntervalMs), () => {
      if (!queue.takeBack(job, this.#token, agenda.now)) return;
      tally.add('taken back');
      say?.(`stalled  ${job.id} is taken back from ${this.#name}`);
      takeLater(this.#world, job);
    });
  }

  #clock(): number {
    return this.#world.agenda.now + this.#clockMs;
  }
}

const responseOf = ({ status, replayed, code, retryAfterMs }: Answer): Outcome => ({
  kind: 'response',
  status,
  replayed,
  durationMs: 0,
  ...(code !== undefined && { envelope: { code } }),
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

const expectsHold = (outcome: Outcome): boolean =>
  (outcome.kind === 'response' && outcome.envelope?.code === 'IDEMPOTENCY_IN_PROGRESS') ||
  (outcome.kind === 'not-sent' && outcome.code === 'EMFILE');

function explain(disposition: Disposition): string {
  const wait = 'wait' in disposition ? ` in ${disposition.wait.delayMs} ms` : '';
  return `${disposition.kind}${wait}${'because' in disposition ? `, ${disposition.because}` : ''}`;
}

const writeOf = ({ id, payload, expiresAt }: Job): Write => ({
  idempotencyKey: id,
  method: 'POST',
  path: '/messages',
  body: payload,
  ...(expiresAt !== undefined && { expiresAt }),
});
