// Pauses a destination, or lets it go on, with a reason.
import { useState } from 'preact/hooks';
import { ApiError, call } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { ErrorNote } from '../../components/notes.tsx';
import { toast } from '../../components/toast.tsx';

export function HoldDialog(props: { destination: string; paused: boolean; onClose: () => void; onDone: () => void }) {
  const { destination, paused } = props;
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const missing = reason.trim() === '' ? 'Say why: it stands in the audit.' : undefined;
  const send = async (): Promise<void> => {
    if (missing !== undefined || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await call(paused ? 'resumeDestination' : 'pauseDestination', {
        params: { destination },
        body: { reason: reason.trim() },
      });
      toast(paused ? `${destination} goes on.` : `${destination} is paused.`);
      props.onDone();
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`${paused ? 'Resume' : 'Pause'} ${destination}`}
      onClose={props.onClose}
      onSubmit={() => void send()}
      foot={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" look="primary" needs="admin" busy={busy} disabledBecause={missing}>
            {paused ? 'Resume' : 'Pause'}
          </Button>
        </>
      }
    >
      <p>
        {paused
          ? 'Workers fetch its writes again.'
          : 'Workers fetch no more of its writes until it is resumed; those that are being sent come to their end. New writes are still taken on, and wait.'}
      </p>
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
