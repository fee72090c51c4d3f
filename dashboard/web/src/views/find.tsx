// Where is my request: any idempotency key, job id, id of a dead letter or request_id, whatever became of its write.
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import type { FoundWrite } from '../../../api/contract/audit.ts';
import { call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { destinations } from '../api/session.ts';
import { Badge, VerdictBadge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy.tsx';
import { Field } from '../components/field.tsx';
import { EmptyState, ErrorNote, Skeleton } from '../components/notes.tsx';
import { Countdown, Time } from '../components/time.tsx';
import { Timeline } from '../components/timeline.tsx';
import { Upstream } from '../components/upstream.tsx';
import { changes } from '../live.ts';
import { useLookAgain } from '../look-again.ts';
import { counted } from '../logic/number-words.ts';
import { to } from '../routes.ts';
import { isUnderWay, scanWords, STATE_WORDS } from './find/state-words.ts';
import type { Dated } from './letter/story.ts';
import './find/find.css';

export function Find() {
  const { query, route } = useLocation();
  const { id = '', destination = '' } = query;
  const [text, setText] = useState(id);
  const [within, setWithin] = useState(destination);
  // Where the address changes it is taken over while this is drawn: after it, what somebody types at once would be lost.
  const asked = `${destination}/${id}`;
  const [taken, setTaken] = useState(asked);
  if (taken !== asked) {
    setTaken(asked);
    setText(id);
    setWithin(destination);
  }
  useEffect(() => {
    document.title = 'Find · Waybill';
  }, []);
  // A write under way moves on: looked for again with every change, and shown until then.
  const { data, key, error, loading, reload } = useLoad(id === '' ? undefined : asked, (signal) =>
    call('find', { query: { id, destination: destination || undefined }, signal }),
  );
  const tick = changes.value;
  useEffect(() => {
    if (data) reload();
  }, [tick]);
  const found = key === asked ? data : undefined;
  useLookAgain(found?.writes.some(({ state }) => isUnderWay(state)) === true, reload);
  const scanned = found && scanWords(found.scanned, found.more);

  return (
    <>
      <header class="stack-tight">
        <h1>Find a write</h1>
        <p class="muted">By its idempotency key, job id, request_id or the id of a dead letter: wherever it is now.</p>
      </header>
      <form
        class="card card-body find-form"
        role="search"
        aria-label="Find a write"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') route(to.find(text.trim(), within || undefined));
        }}
      >
        <Field label="Key, id or request_id">
          {(control) => (
            <input
              {...control}
              class="mono"
              type="search"
              autocomplete="off"
              spellcheck={false}
              maxLength={300}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Destination">
          {(control) => (
            <select {...control} value={within} onChange={(event) => setWithin(event.currentTarget.value)}>
              <option value="">all</option>
              {destinations.value.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button type="submit" look="primary">
          Find
        </Button>
      </form>
      {error && !found && <ErrorNote error={error} retry={reload} />}
      {loading && !found && <Skeleton label="Looking for it" />}
      {found && (
        <div class="stack" aria-live="polite">
          {found.writes.length === 0 && (
            <section class="card">
              <EmptyState title="Nothing is known under that">
                <p>
                  <Upstream text={id} mono />
                </p>
                <p class="muted">It was never enqueued here, or retention has taken it. {scanned}</p>
              </EmptyState>
            </section>
          )}
          {found.writes.map((write) => (
            <Write key={`${write.destination}/${write.jobId}`} write={write} />
          ))}
          {found.writes.length > 0 && scanned !== undefined && <p class="muted small">{scanned}</p>}
        </div>
      )}
    </>
  );
}

function Write(props: { write: FoundWrite }) {
  const { write } = props;
  const { destination, delivery, replacedBy } = write;
  const state = STATE_WORDS[write.state];
  return (
    <article
      class="card card-body stack"
      aria-label={`${state.label}: ${write.method ?? ''} ${write.path ?? write.jobId}`}
    >
      <div class="stack-tight">
        <div class="row">
          <h2>
            <Badge tone={state.tone}>{state.label}</Badge>
          </h2>
          <VerdictBadge verdict={write.verdict} />
          <span class="find-what">
            <Upstream text={`${write.method ?? ''} ${write.path ?? ''}`} mono />
          </span>
          <span class="muted">
            {destination} · enqueued <Time at={write.enqueuedAt} />
          </span>
        </div>
        <p>
          {state.words}
          {write.nextAttemptAt !== undefined && (
            <>
              {' '}
              Next attempt <Time at={write.nextAttemptAt} form="absolute" />:{' '}
              <strong>
                <Countdown until={write.nextAttemptAt} after="due now" />
              </strong>
              .
            </>
          )}
        </p>
      </div>
      <dl class="facts">
        {write.idempotencyKey !== undefined && (
          <>
            <dt>Idempotency key</dt>
            <dd class="row">
              <Upstream text={write.idempotencyKey} mono />
              <CopyButton text={write.idempotencyKey} what="idempotency key" />
            </dd>
          </>
        )}
        <dt>Job</dt>
        <dd>
          <Upstream text={write.jobId} mono />
        </dd>
        {delivery && (
          <>
            <dt>Delivered</dt>
            <dd>
              <Time at={delivery.deliveredAt} /> with {delivery.status}, after {counted(delivery.attempts, 'attempt')}
            </dd>
          </>
        )}
        {(delivery?.requestId ?? write.requestIds[0]) !== undefined && (
          <>
            <dt>request_id</dt>
            <dd class="row">
              <Upstream text={delivery?.requestId ?? write.requestIds[0] ?? ''} mono />
              <CopyButton text={delivery?.requestId ?? write.requestIds[0] ?? ''} what="request_id" />
            </dd>
          </>
        )}
        {write.letter !== undefined && (
          <>
            <dt>Dead letter</dt>
            <dd>
              <a href={to.letter(destination, write.letter)}>Look at it</a>
            </dd>
          </>
        )}
        {replacedBy && (
          <>
            <dt>Replaced by</dt>
            <dd>
              <a href={to.find(replacedBy.idempotencyKey, destination)}>
                <Upstream text={replacedBy.idempotencyKey} mono />
              </a>
            </dd>
          </>
        )}
        {write.origin !== undefined && (
          <>
            <dt>Replayed from</dt>
            <dd>
              <a href={to.letter(destination, write.origin)}>a dead letter of another key</a>
            </dd>
          </>
        )}
      </dl>
      {(write.attempts.length > 0 || write.acts.length > 0) && (
        <details open={write.attempts.length < 4}>
          <summary>
            {counted(write.attempts.length, 'attempt')}
            {write.acts.length > 0 && `, ${counted(write.acts.length, 'act')}`}
          </summary>
          <div class="find-story">
            <Timeline chapters={chaptersOf(write)} />
          </div>
        </details>
      )}
    </article>
  );
}

const chaptersOf = (write: FoundWrite): Dated[] =>
  [
    ...write.attempts.map((attempt): Dated => ({ kind: 'attempt', at: attempt.at, attempt, sentBy: 'automatic' })),
    ...write.acts.map((act): Dated => ({ kind: 'act', at: act.at, act })),
  ].toSorted((a, b) => a.at - b.at);
