// One dead letter: why it died, what was tried and when, what a replay would send, and what people did with it.
import { useLocation, useRoute } from 'preact-iso';
import { useState } from 'preact/hooks';
import type { LetterDetail, ReplayAnswer } from '../../../api/contract/letters.ts';
import { type ApiError, call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { may, user } from '../api/session.ts';
import { Button, ButtonLink } from '../components/button.tsx';
import { CopyButton } from '../components/copy.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNote, Note, Skeleton } from '../components/notes.tsx';
import { Time } from '../components/time.tsx';
import { toast } from '../components/toast.tsx';
import { LongText } from '../components/long-text.tsx';
import { useKeys } from '../keys.ts';
import { useLookAgain } from '../look-again.ts';
import { type Filter, readFilter } from '../logic/filter-url.ts';
import { to } from '../routes.ts';
import { isUnderWay } from './find/state-words.ts';
import { ActDialog } from './letter/act-dialog.tsx';
import { actWords } from './letter/act-words.ts';
import { Cards } from './letter/cards.tsx';
import { Conflict } from './letter/conflict.tsx';
import { Head } from './letter/head.tsx';
import { type Neighbours, neighboursOf } from './letter/neighbours.ts';
import { ReplayDialog } from './letter/replay-dialog.tsx';
import { useChangedElsewhere } from './letter/use-changed-elsewhere.ts';
import { useWhenKeyEnds } from './letter/use-when-key-ends.ts';
import './letter/letter.css';

export function Letter() {
  const { params } = useRoute();
  const { query: given } = useLocation();
  const { destination = '', id = '' } = params;
  const query = new URLSearchParams(given);
  const { data, key, error, loading, reload } = useLoad(`${destination}/${id}`, (signal) =>
    call('letter', { params: { destination, id }, signal }),
  );
  const detail = key === `${destination}/${id}` ? data : undefined;
  // Opened from a list: its filter is in the address, and the way back and on leads through it.
  const filter = readFilter(query);
  const fromList = query.size > 0;
  const beside = detail && fromList ? `${destination}/${id}?${query}` : undefined;
  const neighbours = useLoad(beside, (signal) => neighboursOf({ id, deadAt: detail!.letter.deadAt }, filter, signal));

  return (
    <>
      <nav class="spread" aria-label="Around this letter">
        <a class="back" href={to.letters(filter)}>
          <Icon name="back" /> {fromList ? 'Back to the list' : 'All dead letters'}
        </a>
        {fromList && (
          // Those of the letter before would lead back to this one.
          <Around neighbours={neighbours.key === beside ? neighbours.data : undefined} from={filter} />
        )}
      </nav>
      {!detail && <h1>Dead letter</h1>}
      {error && !detail && <ErrorNote error={error} retry={reload} />}
      {!detail && loading && <Skeleton label="Loading the dead letter" lines={8} />}
      {detail && (
        <Shown
          key={`${destination}/${id}`}
          detail={detail}
          reload={reload}
          from={fromList ? filter : undefined}
          failed={error}
        />
      )}
    </>
  );
}

function Around(props: { neighbours: Neighbours | undefined; from: Filter }) {
  const { newer, older } = props.neighbours ?? {};
  const known = props.neighbours !== undefined;
  const hrefOf = (one: { destination: string; id: string }): string => to.letter(one.destination, one.id, props.from);
  return (
    <span class="row">
      {newer ? <a href={hrefOf(newer)}>Newer</a> : <span class="muted">{known ? 'Newest' : 'Newer'}</span>}
      <span aria-hidden="true">·</span>
      {older ? <a href={hrefOf(older)}>Older</a> : <span class="muted">{known ? 'Oldest' : 'Older'}</span>}
    </span>
  );
}

type Open = 'replay' | 'discard' | 'restore';

function Shown(props: {
  detail: LetterDetail;
  reload: () => void;
  from: Filter | undefined;
  failed: ApiError | undefined;
}) {
  const { detail, reload } = props;
  const { letter } = detail;
  const { destination, id } = letter;
  const { route } = useLocation();
  const [open, setOpen] = useState<Open>();
  const [conflict, setConflict] = useState<ApiError>();
  const newer = useChangedElsewhere(detail);
  useLookAgain(letter.state === 'replayed' && isUnderWay(detail.writeState), reload);
  useWhenKeyEnds(letter.state === 'open' ? detail.key.usableUntil : undefined, reload);
  const editHref = to.edit(destination, id, props.from);
  const isOpen = letter.state === 'open';
  const sendable = isOpen && detail.write !== undefined;
  const act = may('operator');

  useKeys({
    ...(act && sendable && { r: () => setOpen('replay'), e: () => route(editHref) }),
    ...(act && isOpen && { d: () => setOpen('discard') }),
  });
  const done = (said: string, link?: { href: string; text: string }): void => {
    setOpen(undefined);
    setConflict(undefined);
    toast(said, 'good', link);
    reload();
  };
  const lost = (error: ApiError): void => {
    setOpen(undefined);
    setConflict(error);
    reload();
  };
  const replayed = (answer: ReplayAnswer): void =>
    done('Replayed.', { href: to.find(answer.idempotencyKey, destination), text: 'See where it is' });

  return (
    <>
      <Head detail={detail} />
      <div class="row letter-acts">
        {isOpen && (
          <>
            {detail.write && (
              <>
                <Button look="primary" needs="operator" onClick={() => setOpen('replay')}>
                  Replay…
                </Button>
                {act ? (
                  <ButtonLink href={editHref}>Edit and replay</ButtonLink>
                ) : (
                  <Button needs="operator">Edit and replay</Button>
                )}
              </>
            )}
            <Button look="danger" needs="operator" onClick={() => setOpen('discard')}>
              Discard…
            </Button>
          </>
        )}
        {letter.state === 'discarded' && (
          <Button needs="operator" onClick={() => setOpen('restore')}>
            Restore…
          </Button>
        )}
        {letter.requestId !== undefined && (
          <CopyButton text={letter.requestId} what="request_id">
            Copy request_id
          </CopyButton>
        )}
        {detail.curl !== undefined && (
          <CopyButton text={detail.curl} what="as cURL">
            Copy as cURL
          </CopyButton>
        )}
        <CopyButton text={JSON.stringify(detail, undefined, 2)} what="JSON of this letter">
          Copy JSON
        </CopyButton>
      </div>
      {!act && (
        <p class="muted small">
          You are signed in as <bdi>{user.value?.name}</bdi> with the role {user.value?.role}: to replay, edit or
          discard needs the role operator.
        </p>
      )}
      {conflict && <Conflict error={conflict} onClose={() => setConflict(undefined)} />}
      {props.failed && <ErrorNote error={props.failed} retry={reload} />}
      {newer && (
        <div role="status">
          <Note tone="warn">
            <span>
              {newer.letter.handled && newer.acts.length > detail.acts.length ? (
                <>
                  <LongText text={newer.letter.handled.by} /> {actWords(newer.letter.handled)}{' '}
                  <Time at={newer.letter.handled.at} form="relative" />.
                </>
              ) : (
                'This letter has changed.'
              )}
            </span>
            <Button small onClick={reload}>
              Show
            </Button>
          </Note>
        </div>
      )}
      <Cards detail={detail} />
      {open === 'replay' && (
        <ReplayDialog detail={detail} onClose={() => setOpen(undefined)} onDone={replayed} onConflict={lost} />
      )}
      {(open === 'discard' || open === 'restore') && (
        <ActDialog
          act={open}
          letter={letter}
          onClose={() => setOpen(undefined)}
          onDone={() => done(open === 'discard' ? 'Discarded.' : 'Restored.')}
          onConflict={lost}
        />
      )}
    </>
  );
}
