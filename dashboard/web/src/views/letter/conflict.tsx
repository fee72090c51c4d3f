// Somebody was first: who, when, and what he did.
import type { ApiError } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Time } from '../../components/time.tsx';
import { LongText } from '../../components/long-text.tsx';

export function Conflict(props: { error: ApiError; onClose: () => void }) {
  const { details = {}, message, requestId } = props.error;
  const { by, at, state } = details;
  return (
    <div class="note note-warn" role="alert">
      <strong>
        {typeof by === 'string' && typeof at === 'number' ? (
          <>
            Already {typeof state === 'string' ? state : 'handled'} by <LongText text={by} />{' '}
            <Time at={at} form="relative" />.
          </>
        ) : (
          <LongText text={message} />
        )}
      </strong>
      <span>Nothing was done; below stands the letter as it is now.</span>
      {requestId !== undefined && (
        <span class="small muted">
          request_id <code>{requestId}</code>
        </span>
      )}
      <Button small onClick={props.onClose}>
        Close
      </Button>
    </div>
  );
}
