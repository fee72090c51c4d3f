// Pause, resume or cancel, with a reason.
import { useState } from 'preact/hooks';
import type { Operation } from '../../../../api/contract/operations.ts';
import { ApiError, call } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { ErrorNote } from '../../components/notes.tsx';

const ACTS = {
  pause: {
    title: 'Pause',
    meaning: 'What is being done is finished; nothing further is begun.',
    route: 'pauseOperation',
  },
  resume: { title: 'Resume', meaning: 'It goes on where it stopped.', route: 'resumeOperation' },
  cancel: {
    title: 'Cancel the operation',
    meaning: 'What is done stays done; the rest is left as it is. It cannot go on again.',
    route: 'cancelOperation',
  },
} as const;
export type OperationAct = keyof typeof ACTS;

export function OperationActDialog(props: {
  act: OperationAct;
  operation: Operation;
  onClose: () => void;
  onDone: () => void;
}) {
  const { title, meaning, route } = ACTS[props.act];
  const { destination, id } = props.operation;
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const missing = reason.trim() === '' ? 'Say why: it stands in the audit' : undefined;
  const submit = async (): Promise<void> => {
    setTried(true);
    if (missing !== undefined || busy) return;
    setBusy(true);
    try {
      await call(route, { params: { destination, id }, body: { reason: reason.trim() } });
      props.onDone();
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown : new ApiError(0, 'PAGE_ERROR', String(thrown)));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      onClose={props.onClose}
      onSubmit={() => void submit()}
      foot={
        <>
          <Button onClick={props.onClose}>Leave it</Button>
          <Button type="submit" look={props.act === 'cancel' ? 'danger-fill' : 'primary'} busy={busy}>
            {title}
          </Button>
        </>
      }
    >
      <p>{meaning}</p>
      <Field label="Reason" error={tried ? missing : undefined}>
        {(control) => (
          <textarea
            {...control}
            rows={2}
            maxLength={1000}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        )}
      </Field>
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}
