// The people at the dead letters: they probe, they replay under the old key or a new one, accept a double application or not, put
// aside and take back, and two may be at one letter (queue/operate.ts).
import type { Journal } from '../../core/journal.ts';
import type { ReplayRequest } from '../../core/replay.ts';
import { replayFactsOf } from '../../queue/letter.ts';
import type { Filed } from './model-queue.ts';
import { takeLater } from './model-worker.ts';
import { newGeneration, newLife } from './truth.ts';
import type { World } from './world.ts';

/** Between what a person reads and the step that acts. */
const ACTS_WITHIN_MS = 2000;

/** Somebody will look at a letter, as long as people are patient. */
export function letterFiled(world: World, filed: Filed): void {
  lookLater(world, filed);
  if (world.chance.next() < 0.2) lookLater(world, filed);
}

function lookLater(world: World, filed: Filed): void {
  if (world.actsLeft === 0) return;
  world.actsLeft--;
  world.agenda.after(drawPatience(world), () => act(world, filed));
}

function drawPatience({ chance, profile }: World): number {
  const ttlMs = profile.policy.keyTtlMs;
  switch (profile.patience) {
    case 'none':
      return chance.between(0, 5000);
    case 'some':
      return chance.between(0, ttlMs);
    case 'long':
      return chance.between(Math.floor(ttlMs / 2), Math.floor(ttlMs * 2.5));
  }
}

function act(world: World, filed: Filed): void {
  const drawn = world.chance.next();
  if (filed.state === 'discarded' || drawn < 0.15) putAside(world, filed);
  else if (drawn < 0.35) probe(world, filed);
  else replay(world, filed);
}

function probe(world: World, filed: Filed): void {
  const ruling = world.rules.admitProbe(replayFactsOf(filed.letter), world.agenda.now);
  if (!ruling.allowed) return refused(world, filed, `probe: refused ${ruling.refusal}`, ruling.because);
  actSoon(world, filed, 'probe', () => sendAgain(world, filed, ruling.journal, filed.job.expiresAt, false));
}

function replay(world: World, filed: Filed): void {
  const { chance, agenda, rules, witness } = world;
  const request: ReplayRequest = {
    key: chance.next() < 0.6 ? 'same' : 'new',
    acceptDouble: chance.next() < 0.3,
    ignoreExpiry: chance.next() < 0.5,
  };
  const ruling = rules.admitReplay(replayFactsOf(filed.letter), request, agenda.now);
  if (!ruling.allowed) return refused(world, filed, `replay: refused ${ruling.refusal}`, ruling.because);
  const { journal, doubleAccepted } = ruling;
  const name = `replay: ${request.key} key${doubleAccepted ? ', double accepted' : ''}`;
  const expiresAt = request.ignoreExpiry ? undefined : filed.job.expiresAt;
  actSoon(world, filed, name, () => {
    if (request.key === 'same') return sendAgain(world, filed, journal, expiresAt, doubleAccepted);
    witness.replayed('new', doubleAccepted, false, false);
    world.add(journal, expiresAt, doubleAccepted);
  });
}

/** Under the same key, as the next generation. */
function sendAgain(
  world: World,
  { job, truth, letter }: Filed,
  journal: Journal,
  expiresAt: number | undefined,
  doubleAccepted: boolean,
): void {
  const anotherLife = journal.firstSentAt === undefined && letter.keyFirstSentAt !== undefined;
  if (anotherLife) world.tally.add('replay: the key begins another life');
  world.witness.replayed('same', doubleAccepted, anotherLife, world.api.remembers(job.id));
  const life = anotherLife ? newLife(job.id, doubleAccepted) : truth.life;
  world.queue.again(job, world.agenda.now, expiresAt, journal, newGeneration(journal.generation, life));
  takeLater(world, job);
}

/** Between the ruling and the step that acts somebody else may be first. */
function actSoon(world: World, filed: Filed, name: string, doIt: () => void): void {
  world.agenda.after(world.chance.between(0, ACTS_WITHIN_MS), () => {
    if (filed.state !== 'open') return world.tally.add('act: somebody was first');
    filed.state = 'replayed';
    world.tally.add(name);
    world.say?.(`operator acts on ${filed.letter.id}, ${name}`);
    doIt();
  });
}

function refused(world: World, filed: Filed, name: string, because: string): void {
  world.tally.add(name);
  world.say?.(`operator may not act on ${filed.letter.id}, ${name}: ${because}`);
  lookLater(world, filed);
}

function putAside(world: World, filed: Filed): void {
  if (filed.state === 'replayed') return world.tally.add('act: somebody was first');
  filed.state = filed.state === 'open' ? 'discarded' : 'open';
  const done = filed.state === 'open' ? 'restore' : 'discard';
  world.tally.add(`${done}: done`);
  world.say?.(`operator ${done}s ${filed.letter.id}`);
  lookLater(world, filed);
}
