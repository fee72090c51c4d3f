// Where a write came from and went to: its generations, the dead letter of another key, the write that replaced it.
import type { LetterDetail } from '../../../../api/contract/letters.ts';
import { StateBadge, VerdictBadge } from '../../components/badge.tsx';
import { Time } from '../../components/time.tsx';
import { LongText } from '../../components/long-text.tsx';
import { REASON_WORDS } from '../../logic/verdict-words.ts';
import { to } from '../../routes.ts';

export function LineageCard(props: { detail: LetterDetail }) {
  const { letter, lineage, origin, replacedBy, writeState } = props.detail;
  const { destination } = letter;
  if (lineage.length < 2 && origin === undefined && !replacedBy && letter.state !== 'replayed') return null;
  return (
    <section class="card card-body stack-tight" aria-labelledby="lineage-title">
      <h2 id="lineage-title">Lineage</h2>
      {origin !== undefined && (
        <p>
          Replayed under a new key from <a href={to.letter(destination, origin)}>the dead letter of another key</a>.
        </p>
      )}
      {lineage.length > 1 && (
        <ol class="lineage">
          {lineage.map((one) => (
            <li key={one.id} aria-current={one.id === letter.id ? 'true' : undefined}>
              {one.id === letter.id ? (
                <strong>Generation {one.generation}</strong>
              ) : (
                <a href={to.letter(destination, one.id)}>Generation {one.generation}</a>
              )}
              <StateBadge state={one.state} />
              <VerdictBadge verdict={one.verdict} />
              <span class="muted small">
                {REASON_WORDS[one.reason]} <Time at={one.deadAt} />
              </span>
            </li>
          ))}
        </ol>
      )}
      {replacedBy && (
        <p>
          Replaced by a write under the key{' '}
          <a href={to.find(replacedBy.idempotencyKey, destination)}>
            <LongText text={replacedBy.idempotencyKey} mono />
          </a>
          .
        </p>
      )}
      {letter.state === 'replayed' && !replacedBy && writeState !== undefined && (
        <p>
          The write is now <strong>{writeState}</strong>
          {letter.idempotencyKey !== undefined && (
            <>
              {' '}
              (<a href={to.find(letter.idempotencyKey, destination)}>find it</a>)
            </>
          )}
          .
        </p>
      )}
    </section>
  );
}
