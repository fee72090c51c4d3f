// The recorded journals against another retry policy: how many dead letters it would have saved, at how many more calls.
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import type { WhatIf as Answer, WhatIfRequest } from '../../../api/contract/what-if.ts';
import { ApiError, call } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Field } from '../components/field.tsx';
import { ErrorNote, Skeleton } from '../components/notes.tsx';
import { timeWords } from '../components/time.tsx';
import { Upstream } from '../components/upstream.tsx';
import { chipsOf, readFilter } from '../logic/filter-url.ts';
import { numberWords } from '../logic/number-words.ts';
import { durationWords } from '../logic/time-words.ts';
import { to } from '../routes.ts';
import { readPolicy, type PolicyFields } from './what-if/policy-fields.ts';
import { remainderOf, sentenceOf } from './what-if/sentence.ts';
import './what-if/what-if.css';

type Policy = WhatIfRequest['policy'];

export function WhatIf() {
  const { query } = useLocation();
  const filter = readFilter(new URLSearchParams(query));
  const chips = chipsOf(filter, timeWords);
  const [fields, setFields] = useState<PolicyFields>({ maxAttempts: '8', cap: '60', base: '', jitter: '' });
  const [asked, setAsked] = useState<{ policy: Policy; answer: Answer }>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const read = readPolicy(fields);
  useEffect(() => {
    document.title = 'What if · Waybill';
  }, []);

  const ask = async (): Promise<void> => {
    if (read.policy === undefined || busy) return;
    const { policy } = read;
    setBusy(true);
    setError(undefined);
    try {
      setAsked({ policy, answer: await call('whatIf', { body: { filter, policy } }) });
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  // The first answer needs no press: it is a question about what stands there.
  useEffect(() => void ask(), [JSON.stringify(filter)]);
  const put = (part: Partial<PolicyFields>): void => setFields((before) => ({ ...before, ...part }));

  return (
    <>
      <header class="stack-tight">
        <h1>What if</h1>
        <p class="muted">
          The recorded attempts of dead letters against another retry policy. Nothing is changed or sent.
        </p>
      </header>
      <form
        class="card card-body stack"
        aria-label="Another policy"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <div class="fields">
          <PolicyField label="Attempts at most" name="maxAttempts" fields={fields} faults={read.faults} put={put} />
          <PolicyField label="Longest wait (cap), s" name="cap" fields={fields} faults={read.faults} put={put} />
          <PolicyField label="First wait (base), s" name="base" fields={fields} faults={read.faults} put={put} />
          <PolicyField label="Jitter, %" name="jitter" fields={fields} faults={read.faults} put={put} />
        </div>
        <div class="spread">
          <p class="small muted">
            Of{' '}
            {chips.length === 0 ? (
              'all open dead letters'
            ) : (
              <>
                those with{' '}
                {chips.map(({ field, name, value }, index) => (
                  <span key={field}>
                    {index > 0 && ', '}
                    {name} <Upstream text={value} mono show="whole" />
                  </span>
                ))}{' '}
                (<a href={to.whatIf()}>all of them</a>)
              </>
            )}
            . An empty field keeps what the destination is configured with.
          </p>
          <Button
            type="submit"
            look="primary"
            busy={busy}
            disabledBecause={read.policy === undefined ? 'A field holds no number that is allowed.' : undefined}
          >
            {busy ? 'Calculating…' : 'Calculate'}
          </Button>
        </div>
      </form>
      {error && <ErrorNote error={error} retry={() => void ask()} />}
      {busy && !asked && <Skeleton label="Calculating" lines={5} />}
      {asked && (
        <div aria-live="polite">
          <Result {...asked} />
        </div>
      )}
    </>
  );
}

function PolicyField(props: {
  label: string;
  name: keyof PolicyFields;
  fields: PolicyFields;
  faults: Partial<Record<keyof PolicyFields, string>>;
  put: (part: Partial<PolicyFields>) => void;
}) {
  const { name, fields, put } = props;
  return (
    <Field label={props.label} error={props.faults[name]}>
      {(control) => (
        <input
          {...control}
          inputMode="decimal"
          autocomplete="off"
          placeholder="as configured"
          value={fields[name]}
          onInput={(event) => put({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

function Result(props: { policy: Policy; answer: Answer }) {
  const { policy, answer } = props;
  return (
    <section class="card card-body stack" aria-labelledby="what-if-sentence">
      <h2 id="what-if-sentence" class="what-if-sentence">
        {sentenceOf(policy, answer)}
      </h2>
      <div class="stack-tight">
        {remainderOf(answer).map((said) => (
          <p key={said}>{said}</p>
        ))}
        {answer.examined > 0 && (
          <p class="muted">The waits of this policy add up to {durationWords(answer.coversMs)}, jitter left out.</p>
        )}
      </div>
      {answer.byGroup.length > 0 && (
        <div class="table-box">
          <table class="table">
            <caption class="unseen">By destination and code</caption>
            <thead>
              <tr>
                <th scope="col">destination</th>
                <th scope="col">code</th>
                {['given up for attempts', 'saved', 'more calls', 'not known'].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.byGroup.map(({ destination, code, eligible, saved, extraCalls, unknown }) => (
                <tr key={`${destination}/${code ?? ''}`}>
                  <td>{destination}</td>
                  <td class="what-if-code">
                    <a href={to.letters({ destination, ...(code !== undefined && { code }), reason: 'exhausted' })}>
                      <Upstream text={code ?? 'no answer'} mono />
                    </a>
                  </td>
                  <td class="number">{numberWords(eligible)}</td>
                  <td class="number">
                    <strong>{numberWords(saved)}</strong>
                  </td>
                  <td class="number">{numberWords(extraCalls)}</td>
                  <td class="number">{numberWords(unknown)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="muted small">
        <strong>How this is worked out.</strong> {answer.basis}
      </p>
    </section>
  );
}
