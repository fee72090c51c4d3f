// The write as it was to be sent: method, path, headers, body. Masked values are marked.
import type { ShownWrite } from '../../../../api/contract/letters.ts';
import { Badge } from '../../components/badge.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Time } from '../../components/time.tsx';
import { LongText } from '../../components/long-text.tsx';
import { Upstream } from '../../components/upstream.tsx';

export function WriteCard(props: { write?: ShownWrite | undefined; raw?: string | undefined }) {
  const { write, raw } = props;
  const maskedCount = write ? write.maskedBody.length + write.maskedHeaders.length : 0;
  return (
    <section class="card card-body stack-tight" aria-labelledby="write-title">
      <div class="spread">
        <h2 id="write-title">The write</h2>
        {maskedCount > 0 && (
          <span class="small muted">Masked values are kept as they are, and are not shown here.</span>
        )}
      </div>
      {!write && (
        <>
          <p>What stood in the queue is no write. It can only be discarded.</p>
          {raw !== undefined && <JsonView text={raw} label="What stood in the queue" />}
        </>
      )}
      {write && (
        <>
          <p class="write-line">
            <strong class="mono">{write.method}</strong> <LongText text={write.path} mono />
          </p>
          {Object.keys(write.headers).length > 0 && (
            <dl class="facts small write-headers">
              {Object.entries(write.headers).map(([name, value]) => (
                <Header key={name} name={name} value={value} masked={write.maskedHeaders.includes(name)} />
              ))}
            </dl>
          )}
          {write.hidden !== undefined ? (
            <p class="muted">
              The body is <LongText text={write.hidden} />
            </p>
          ) : write.body === undefined ? (
            <p class="muted">It has no body.</p>
          ) : (
            <JsonView text={write.body} label="Body of the write" masked={write.maskedBody} />
          )}
          {(write.expiresAt !== undefined || write.maxAttempts !== undefined) && (
            <dl class="facts small">
              {write.expiresAt !== undefined && (
                <>
                  <dt>Of no use after</dt>
                  <dd>
                    <Time at={write.expiresAt} />
                  </dd>
                </>
              )}
              {write.maxAttempts !== undefined && (
                <>
                  <dt>Attempts at most</dt>
                  <dd>{write.maxAttempts}</dd>
                </>
              )}
            </dl>
          )}
        </>
      )}
    </section>
  );
}

function Header(props: { name: string; value: string; masked: boolean }) {
  return (
    <>
      <dt>
        <Upstream text={props.name} mono />
      </dt>
      <dd class="row">
        <LongText text={props.value} mono />
        {props.masked && <Badge tone="warn">masked</Badge>}
      </dd>
    </>
  );
}
