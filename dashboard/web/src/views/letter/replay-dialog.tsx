// Replays one dead letter: under its own key or a new one, with what the rules say to each.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { LetterDetail, ReplayAnswer, Ruling } from '../../../../api/contract/letters.ts';
import { ApiError, call } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ErrorNote } from '../../components/notes.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { newUuid } from '../../logic/new-uuid.ts';
import { KeyLife } from './key-card.tsx';
import { canBeLifted, firstChoice, type ReplayChoice, requestOf, wanting } from './replay-choice.ts';
import { ReplayFields } from './replay-fields.tsx';
import { RulingBadge, RulingWords } from './ruling-words.tsx';

export function ReplayDialog(props: {
  detail: LetterDetail;
  onClose: () => void;
  onDone: (answer: ReplayAnswer) => void;
  onConflict: (error: ApiError) => void;
}) {
  const { detail } = props;
  const { destination, id, idempotencyKey } = detail.letter;
  const [choice, setChoice] = useState<ReplayChoice>(() => ({
    key: firstChoice(detail.replay),
    newKey: newUuid(),
    reason: '',
    phrase: '',
    ignoreExpiry: false,
  }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const change = (part: Partial<ReplayChoice>): void => setChoice((before) => ({ ...before, ...part }));
  const ruling = detail.replay[choice.key];
  const missing = wanting(ruling, choice);

  const send = async (): Promise<void> => {
    if (missing !== undefined || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      props.onDone(await call('replay', { params: { destination, id }, body: requestOf(ruling, choice) }));
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      if (thrown.code === 'LETTER_HANDLED') props.onConflict(thrown);
      else setError(thrown);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      title="Replay this write"
      onClose={props.onClose}
      onSubmit={() => void send()}
      foot={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy} needs="operator" disabledBecause={missing}>
            {busy ? 'Replaying…' : 'Replay'}
          </Button>
        </>
      }
    >
      <fieldset>
        <legend>Under which key</legend>
        <KeyOption
          value="same"
          chosen={choice.key}
          title="Its own key"
          ruling={detail.replay.same}
          onChoose={(key) => change({ key })}
        >
          <Upstream text={idempotencyKey ?? ''} mono /> <KeyLife detail={detail} />
        </KeyOption>
        <KeyOption
          value="new"
          chosen={choice.key}
          title="A new key"
          ruling={detail.replay.new}
          onChoose={(key) => change({ key })}
        >
          <code>{choice.newKey}</code>
        </KeyOption>
      </fieldset>
      <ReplayFields ruling={ruling} choice={choice} change={change} />
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}

function KeyOption(props: {
  value: 'same' | 'new';
  chosen: 'same' | 'new';
  title: string;
  ruling: Ruling;
  onChoose: (key: 'same' | 'new') => void;
  children: ComponentChildren;
}) {
  const { value, ruling } = props;
  return (
    <label class="choice key-option" data-chosen={props.chosen === value ? '' : undefined}>
      <input
        type="radio"
        name="key"
        value={value}
        checked={props.chosen === value}
        disabled={!canBeLifted(ruling)}
        onChange={() => props.onChoose(value)}
      />
      <span class="stack-tight grow">
        <span class="row">
          <strong>{props.title}</strong> <RulingBadge ruling={ruling} />
        </span>
        <span class="key-option-key">{props.children}</span>
        <RulingWords ruling={ruling} />
      </span>
    </label>
  );
}
