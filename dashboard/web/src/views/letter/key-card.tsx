// The idempotency key: what a replay sends with it, and how long the API still knows it.
import type { LetterDetail } from '../../../../api/contract/letters.ts';
import { CopyButton } from '../../components/copy.tsx';
import { Countdown, Time } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { now } from '../../now.ts';
import { RulingBadge, RulingWords } from './ruling-words.tsx';

/** How long the key can still be used, by the second. */
export function KeyLife(props: { detail: LetterDetail }) {
  const { usableUntil, firstSentAt } = props.detail.key;
  if (firstSentAt === undefined)
    return (
      <span title="Nothing can have reached the API: its life has not begun">never sent, its life has not begun</span>
    );
  if (usableUntil === undefined) return null;
  return usableUntil > now.value ? (
    <span>
      usable for{' '}
      <strong>
        <Countdown until={usableUntil} />
      </strong>
    </span>
  ) : (
    <strong class="is-bad">no longer usable</strong>
  );
}

export function KeyCard(props: { detail: LetterDetail }) {
  const { detail } = props;
  const { letter, key, replay } = detail;
  const open = letter.state === 'open';
  return (
    <section class="card card-body stack-tight" aria-labelledby="key-title">
      <h2 id="key-title">Idempotency key</h2>
      <div class="row copy-line">
        <Upstream text={letter.idempotencyKey ?? 'unknown'} mono />
        {letter.idempotencyKey !== undefined && <CopyButton text={letter.idempotencyKey} what="idempotency key" />}
      </div>
      <dl class="facts">
        <dt>Life</dt>
        <dd>
          <KeyLife detail={detail} />
        </dd>
        {key.firstSentAt !== undefined && (
          <>
            <dt>First sent</dt>
            <dd>
              <Time at={key.firstSentAt} />
            </dd>
          </>
        )}
        {key.expiresAt !== undefined && (
          <>
            <dt>Forgotten by the API</dt>
            <dd>
              <Time at={key.expiresAt} />
            </dd>
          </>
        )}
      </dl>
      {open && (
        <dl class="rulings">
          {(['same', 'new'] as const).map((which) => (
            <div key={which}>
              <dt>
                {which === 'same' ? 'Replay under its own key' : 'Replay under a new key'}{' '}
                <RulingBadge ruling={replay[which]} />
              </dt>
              <dd>
                <RulingWords ruling={replay[which]} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
