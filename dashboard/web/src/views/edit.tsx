// Edits a dead write and replays it under a new key. The text in the editor is the text that is sent; the dead letter
// keeps the write as it was.
import { useLocation, useRoute } from 'preact-iso';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LetterDetail, ShownWrite } from '../../../api/contract/letters.ts';
import { ApiError, call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy.tsx';
import { JsonDiff } from '../components/diff.tsx';
import { Field } from '../components/field.tsx';
import { Icon } from '../components/icon.tsx';
import { JsonEditor } from '../components/json-editor.tsx';
import { prettyJson, readJson } from '../components/json-text.ts';
import { ErrorNote, Note, Skeleton } from '../components/notes.tsx';
import { toast } from '../components/toast.tsx';
import { LongText } from '../components/long-text.tsx';
import { Upstream } from '../components/upstream.tsx';
import { readFilter } from '../logic/filter-url.ts';
import { newUuid } from '../logic/new-uuid.ts';
import { to } from '../routes.ts';
import { type Draft, draftOf, editOf, faultsOf, headerChanges } from './edit/draft.ts';
import { HeaderLines } from './edit/header-lines.tsx';
import { Conflict } from './letter/conflict.tsx';
import { type ReplayChoice, requestOf, wanting } from './letter/replay-choice.ts';
import { ReplayFields } from './letter/replay-fields.tsx';
import { RulingWords } from './letter/ruling-words.tsx';
import './edit/edit.css';
import './letter/letter.css';

export function Edit() {
  const { params } = useRoute();
  const { query } = useLocation();
  const { destination = '', id = '' } = params;
  const { data, error, loading, reload } = useLoad(`${destination}/${id}`, (signal) =>
    call('letter', { params: { destination, id }, signal }),
  );
  const given = new URLSearchParams(query);
  const filter = readFilter(given);
  const fromList = given.size > 0;
  const back = to.letter(destination, id, fromList ? filter : undefined);
  useEffect(() => {
    document.title = `Edit and replay · ${destination} · Waybill`;
  }, [destination]);
  return (
    <>
      <nav aria-label="Around this edit">
        <a class="back" href={back}>
          <Icon name="back" /> Back to the dead letter
        </a>
      </nav>
      <header class="stack-tight">
        <h1>Edit and replay</h1>
        {data && (
          <p class="muted row">
            {destination} <span aria-hidden="true">·</span> <Upstream text={data.letter.code ?? data.letter.id} />
          </p>
        )}
      </header>
      {error && !data && <ErrorNote error={error} retry={reload} />}
      {!data && loading && <Skeleton label="Loading the write" lines={8} />}
      {data?.write && <Editing detail={data} write={data.write} back={back} reload={reload} />}
      {data && !data.write && (
        <Note tone="warn">
          What stood in the queue is no write: there is nothing to edit. It can only be discarded.
        </Note>
      )}
    </>
  );
}

function Editing(props: { detail: LetterDetail; write: ShownWrite; back: string; reload: () => void }) {
  const { detail, back } = props;
  const { destination, id, state } = detail.letter;
  const { route } = useLocation();
  // What is edited is the write as it was opened, whatever becomes of the letter meanwhile.
  const [write] = useState(props.write);
  const [draft, setDraft] = useState<Draft>(() => draftOf(write));
  const [start, setStart] = useState(draft.body);
  const [choice, setChoice] = useState<ReplayChoice>(() => ({
    key: 'new',
    newKey: newUuid(),
    reason: '',
    phrase: '',
    ignoreExpiry: false,
  }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const masks = useMemo(() => maskTexts(write), [write]);
  const faults = useMemo(() => faultsOf(draft), [draft]);
  const edit = editOf(write, draft);
  const ruling = detail.replay.new;
  const faultOf = (part: 'path' | 'headers' | 'body'): string | undefined =>
    faults.find((fault) => fault.part === part)?.message;
  const missing =
    state !== 'open'
      ? `It is ${state} already.`
      : edit === undefined
        ? 'Nothing is changed yet.'
        : (faults[0]?.message ?? wanting(ruling, choice));

  const replaceBody = (body: string): void => {
    setStart(body);
    change({ body });
  };
  const send = async (): Promise<void> => {
    if (missing !== undefined || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const answer = await call('replay', { params: { destination, id }, body: requestOf(ruling, choice, edit) });
      toast('Replayed as edited.', 'good', {
        href: to.find(answer.idempotencyKey, destination),
        text: 'See where it is',
      });
      route(back);
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
      if (thrown.code === 'LETTER_HANDLED') props.reload();
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="edit-grid"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div class="stack">
        <section class="card card-body stack" aria-labelledby="edit-write">
          <h2 id="edit-write">The write</h2>
          <Field label={`Path (${write.method})`} error={faultOf('path')}>
            {(control) => (
              <input
                {...control}
                class="mono"
                autocomplete="off"
                spellcheck={false}
                value={draft.path}
                onInput={(event) => change({ path: event.currentTarget.value })}
              />
            )}
          </Field>
          <HeaderLines
            lines={draft.headers}
            masked={write.maskedHeaders}
            fault={faultOf('headers')}
            onChange={(headers) => change({ headers })}
          />
          {write.hidden === undefined ? (
            <div class="stack-tight">
              <div class="spread">
                <h3>Body</h3>
                <span class="row">
                  <Button small onClick={() => replaceBody(prettyJson(draft.body))} disabledBecause={faultOf('body')}>
                    Lay out
                  </Button>
                  <Button
                    small
                    onClick={() => {
                      setDraft(draftOf(write));
                      setStart(write.body ?? '');
                    }}
                    disabledBecause={edit === undefined ? 'Nothing is changed.' : undefined}
                  >
                    Undo all changes
                  </Button>
                </span>
              </div>
              <JsonEditor start={start} label="Body, as JSON" masks={masks} onInput={(body) => change({ body })} />
              <p class={faultOf('body') === undefined ? 'field-hint' : 'field-hint field-error'} role="status">
                {faultOf('body') ??
                  'Sent byte for byte as it stands here; digits stay as they are. Tab leaves the editor.'}
              </p>
            </div>
          ) : (
            <Note tone="warn">
              The body is <LongText text={write.hidden} />. It is sent as it was.
            </Note>
          )}
          {(write.maskedBody.length > 0 || write.maskedHeaders.length > 0) && (
            <Note>
              <span>
                Masked values stand for what they hide: left as they are, the value itself is sent. Write over one to
                send another value.
              </span>
            </Note>
          )}
        </section>
      </div>
      <div class="stack">
        <Changes write={write} draft={draft} masks={masks} />
        <section class="card card-body stack" aria-labelledby="edit-send">
          <h2 id="edit-send">Replay under a new key</h2>
          <div class="stack-tight">
            <div class="row copy-line">
              <code>{choice.newKey}</code>
              <CopyButton text={choice.newKey} what="new idempotency key" />
            </div>
            <p class="muted small">
              An edited write is another write: it always has a key of its own, and stays linked to this dead letter.
            </p>
            <p>
              <RulingWords ruling={ruling} />
            </p>
          </div>
          <ReplayFields
            ruling={ruling}
            choice={choice}
            change={(part) => setChoice((before) => ({ ...before, ...part }))}
          />
          {error?.code === 'LETTER_HANDLED' ? (
            <Conflict error={error} onClose={() => setError(undefined)} />
          ) : (
            error && <ErrorNote error={error} />
          )}
          <div class="spread">
            <span class="muted small">{missing}</span>
            <Button type="submit" look="primary" needs="operator" busy={busy} disabledBecause={missing}>
              {busy ? 'Replaying…' : 'Replay as edited'}
            </Button>
          </div>
        </section>
      </div>
    </form>
  );
}

function Changes(props: { write: ShownWrite; draft: Draft; masks: ReadonlySet<string> }) {
  const { write, draft, masks } = props;
  const headers = headerChanges(write, draft);
  const pathDiffers = draft.path !== write.path;
  const bodyDiffers = draft.body !== (write.body ?? '');
  const before = prettyJson(write.body ?? '');
  const after = prettyJson(draft.body);
  return (
    <section class="card card-body stack-tight" aria-labelledby="edit-changes">
      <h2 id="edit-changes">What differs</h2>
      {!pathDiffers && headers.length === 0 && !bodyDiffers && <p class="muted">Nothing yet.</p>}
      {(pathDiffers || headers.length > 0) && (
        <dl class="changes">
          {pathDiffers && <Change name="path" before={write.path} after={draft.path} />}
          {headers.map((one) => (
            <Change key={one.name} {...one} />
          ))}
        </dl>
      )}
      {bodyDiffers && before === after && <p>The body differs in white space alone.</p>}
      {bodyDiffers && before !== after && (
        <>
          <p class="muted small">The body, both sides laid out for reading:</p>
          <JsonDiff before={before} after={after} masks={masks} />
        </>
      )}
    </section>
  );
}

function Change(props: { name: string; before?: string; after?: string }) {
  const { name, before, after } = props;
  return (
    <>
      <dt>
        <Upstream text={name} mono />
      </dt>
      <dd>
        {before !== undefined && (
          <del>
            <LongText text={before} mono />
          </del>
        )}
        {after !== undefined && (
          <ins>
            <LongText text={after} mono />
          </ins>
        )}
      </dd>
    </>
  );
}

/** The texts that stand for masked values in the body. */
function maskTexts({ body, maskedBody }: ShownWrite): ReadonlySet<string> {
  const masked = new Set(maskedBody);
  const tokens = body === undefined ? [] : (readJson(body).tokens ?? []);
  return new Set(tokens.filter(({ pointer }) => pointer !== undefined && masked.has(pointer)).map(({ text }) => text));
}
