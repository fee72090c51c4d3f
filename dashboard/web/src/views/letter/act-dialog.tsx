// Discards a dead letter, or restores it, with a reason.
import { useState } from 'preact/hooks';
import type { LetterRow } from '../../../../api/contract/letters.ts';
import { ApiError, call } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { ErrorNote } from '../../components/notes.tsx';

const WORDS = {
  discard: {
    title: 'Discard this dead letter',
    what: 'It is put aside and never sent. Until retention takes it, it can be restored.',
    button: 'Discard',
    look: 'danger-fill',
  },
  restore: {
    title: 'Restore this dead letter',
    what: 'It is open again: it can be replayed, edited or discarded.',
    button: 'Restore',
    look: 'primary',
  },
} as const;

export function ActDialog(props: {
  act: keyof typeof WORDS;
  letter: LetterRow;
  onClose: () => void;
  onDone: () => void;
  onConflict: (error: ApiError) => void;
}) {
  const { act, letter } = props;
  const words = WORDS[act];
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const missing = reason.trim() === '' ? 'Say why: it stands in the audit.' : undefined;
  const send = async (): Promise<void> => {
    if (missing !== undefined || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await call(act, {
        params: { destination: letter.destination, id: letter.id },
        body: { reason: reason.trim() },
      });
      props.onDone();
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
      title={words.title}
      onClose={props.onClose}
      onSubmit={() => void send()}
      foot={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" look={words.look} needs="operator" busy={busy} disabledBecause={missing}>
            {words.button}
          </Button>
        </>
      }
    >
      <p>{words.what}</p>
      <Field label="Reason" hint="Stands in the audit, beside your name.">
        {(control) => (
          <input
            {...control}
            maxLength={1000}
            autocomplete="off"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        )}
      </Field>
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}
