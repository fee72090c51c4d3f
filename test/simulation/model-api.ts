// The API: it looks the key up and applies a write once while it knows the key; it may fail before it looked, while it
// ran, or after it has applied; and it forgets.
import type { Profile } from './profile.ts';
import type { KeyLife, Send } from './truth.ts';
import type { World } from './world.ts';

export interface Answer {
  status: number;
  replayed: boolean;
  code?: string;
  retryAfterMs?: number;
}

/** What a client gets: an answer, or a connection that is reset. */
type Reply = (answer: Answer | undefined) => void;

interface KeyRecord {
  /** When a send of this key was first looked up: its life counts from there. */
  readonly firstAt: number;
  state: 'running' | 'stored' | 'open';
  answer: Answer | undefined;
  /** The life of the last send that met it. */
  seenBy: KeyLife;
  waiting: (() => void)[];
}

/** How a run ends: what is stored under the key, and what the client is given. */
interface Run {
  applies: boolean;
  stored: Answer | undefined;
  given: Answer | undefined;
}

const REJECTIONS = [400, 404, 409, 422];
const plain = (status: number): Answer => ({ status, replayed: false });
const rejection = (status: number): Answer => ({ status, replayed: false, code: `REJECTED_${status}` });

export class ModelApi {
  readonly #world: World;
  readonly #profile: Profile;
  readonly #records = new Map<string, KeyRecord>();

  constructor(world: World) {
    this.#world = world;
    this.#profile = world.profile;
  }

  /** Whether it would recognize a key that was sent now. */
  remembers(key: string): boolean {
    const known = this.#records.get(key);
    return known !== undefined && !this.#isForgotten(known);
  }

  receive(send: Send, reply: Reply): void {
    this.#world.witness.arrived(send);
    const inTrouble = this.#world.inTrouble();
    if (inTrouble && this.#world.chance.next() < 0.4) return this.#gateway(reply);
    this.#lookUp(send, reply, inTrouble);
  }

  #lookUp(send: Send, reply: Reply, inTrouble: boolean): void {
    const { witness, say } = this.#world;
    let known = this.#records.get(send.key);
    if (known && this.#isForgotten(known)) {
      say?.('api      has forgotten the key');
      witness.forgotten(send, known.seenBy);
      known = undefined;
    }
    if (!known) {
      known = {
        firstAt: this.#world.agenda.now,
        state: 'open',
        answer: undefined,
        seenBy: send.truth.life,
        waiting: [],
      };
      this.#records.set(send.key, known);
    }
    this.#meet(send, known, reply, inTrouble);
  }

  #meet(send: Send, known: KeyRecord, reply: Reply, inTrouble: boolean): void {
    const { say } = this.#world;
    known.seenBy = send.truth.life;
    const { state, answer } = known;
    if (state === 'open') return this.#run(send, known, reply, inTrouble);
    if (state === 'stored' && answer) {
      say?.(`api      repeats its stored ${answer.status}`);
      return reply({ ...answer, replayed: this.#profile.api.marksReplays });
    }
    if (this.#profile.api.waits) {
      // It was looked up in time: however long it waits, it belongs to the key that it met.
      known.waiting.push(() => this.#meet(send, known, reply, inTrouble));
    } else {
      say?.('api      is still running an earlier send: 409 in progress');
      reply({ status: 409, replayed: false, code: 'IDEMPOTENCY_IN_PROGRESS' });
    }
  }

  #run(send: Send, known: KeyRecord, reply: Reply, inTrouble: boolean): void {
    const { chance, agenda, witness } = this.#world;
    known.state = 'running';
    const { applies, stored, given } = this.#drawRun(inTrouble);
    agenda.after(chance.between(0, this.#profile.api.runMs), () => {
      this.#world.say?.(
        `api      ran it: ${applies ? 'APPLIED' : 'not applied'}, stores ${stored?.status ?? 'nothing'}, gives ${given?.status ?? 'a reset'}`,
      );
      if (applies) witness.applies(send);
      known.state = stored ? 'stored' : 'open';
      known.answer = stored;
      if (!stored && !this.#profile.api.remembersUnstored && known.waiting.length === 0) this.#records.delete(send.key);
      reply(given);
      for (const again of known.waiting.splice(0)) again();
    });
  }

  #drawRun(inTrouble: boolean): Run {
    const { chance } = this.#world;
    const { api, policy } = this.#profile;
    if (chance.next() < api.rejects) {
      const stored = rejection(chance.pick(REJECTIONS));
      return { applies: false, stored, given: inTrouble && chance.next() < 0.3 ? undefined : stored };
    }
    const created = plain(201);
    if (!inTrouble) return { applies: true, stored: created, given: created };
    const listed = policy.unappliedStatuses;
    // As the profile promises: what is listed there is never given for a write that was applied.
    const failure = plain(chance.pick([500, 502, 503, 504]));
    const mayBeApplied = plain(chance.pick([500, 502, 503, 504].filter((status) => !listed.includes(status))));
    switch (chance.between(0, 7)) {
      case 0:
      case 1:
        return { applies: true, stored: created, given: mayBeApplied };
      case 2:
        return { applies: true, stored: created, given: undefined };
      case 3:
        return { applies: false, stored: undefined, given: undefined };
      case 4: {
        const redirect = plain(302);
        return { applies: chance.next() < 0.5, stored: redirect, given: redirect };
      }
      case 5:
        if (api.stores5xx) return { applies: true, stored: mayBeApplied, given: mayBeApplied };
        return { applies: false, stored: undefined, given: failure };
      case 6:
        return { applies: false, stored: api.stores5xx ? failure : undefined, given: failure };
      default:
        return { applies: true, stored: created, given: created };
    }
  }

  /** Something before the API answers in its place; the key is not looked at. */
  #gateway(reply: Reply): void {
    const { chance, say } = this.#world;
    const status = chance.pick([429, 429, 429, 503, 503, 500, 502, 504, 401, 403, 413, 0, 0]);
    say?.(`gateway  gives ${status === 0 ? 'a reset' : status} without a look at the key`);
    if (status === 0) return reply(undefined);
    const retryAfterMs = chance.pick([0, 0.5, 3, 60, 3600, 100_000]) * 1000;
    reply(chance.next() < 0.5 ? plain(status) : { ...plain(status), retryAfterMs });
  }

  #isForgotten({ state, firstAt }: KeyRecord): boolean {
    return state !== 'running' && this.#world.agenda.now - firstAt >= this.#profile.policy.keyTtlMs;
  }
}
