// The answer of the API as labelled fields, and what to do about its code.
import type { LetterDetail } from '../../../../api/contract/letters.ts';
import { CopyButton } from '../../components/copy.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { LongText } from '../../components/long-text.tsx';
import { Upstream } from '../../components/upstream.tsx';

export function EnvelopeCard(props: { detail: LetterDetail }) {
  const { envelope, hint, letter } = props.detail;
  return (
    <section class="card card-body stack-tight" aria-labelledby="envelope-title">
      <h2 id="envelope-title">What the API answered</h2>
      {envelope || letter.status !== undefined || letter.requestId !== undefined ? (
        <dl class="facts">
          {letter.status !== undefined && (
            <>
              <dt>status</dt>
              <dd>{letter.status}</dd>
            </>
          )}
          {envelope && (
            <>
              <dt>code</dt>
              <dd>
                <LongText text={envelope.code} mono />
              </dd>
            </>
          )}
          {envelope?.message !== undefined && (
            <>
              <dt>message</dt>
              <dd>
                <LongText text={envelope.message} />
              </dd>
            </>
          )}
          {letter.requestId !== undefined && (
            <>
              <dt>request_id</dt>
              <dd class="row copy-line">
                <Upstream text={letter.requestId} mono />
                <CopyButton text={letter.requestId} what="request_id" />
              </dd>
            </>
          )}
          {letter.field !== undefined && (
            <>
              <dt>field</dt>
              <dd>
                <LongText text={letter.field} mono />
              </dd>
            </>
          )}
          {envelope?.details !== undefined && (
            <>
              <dt>details</dt>
              <dd>
                <JsonView text={envelope.details} label="details" />
              </dd>
            </>
          )}
        </dl>
      ) : (
        <p class="muted">It gave no answer that could be read.</p>
      )}
      {hint !== undefined && letter.state === 'open' && (
        <p class="note">
          <strong>What to do</strong>
          <span>
            <LongText text={hint} />
          </span>
        </p>
      )}
    </section>
  );
}
