// Who did what, when and why, over all destinations, the newest first; retention and operations among them.
import { useLocation } from 'preact-iso';
import { useEffect } from 'preact/hooks';
import type { AuditEntryShown } from '../../../api/contract/audit.ts';
import { addressOf, call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { destinations } from '../api/session.ts';
import { Badge, VerdictBadge } from '../components/badge.tsx';
import { Button, ButtonLink } from '../components/button.tsx';
import { Field } from '../components/field.tsx';
import { EmptyState, ErrorNote, Note, Skeleton } from '../components/notes.tsx';
import { Time } from '../components/time.tsx';
import { Upstream } from '../components/upstream.tsx';
import { changes } from '../live.ts';
import { readFilter } from '../logic/filter-url.ts';
import { counted } from '../logic/number-words.ts';
import { to } from '../routes.ts';
import { ACTS, actLabel } from './audit/act-labels.ts';
import './audit/audit.css';

export function Audit() {
  const { query, route } = useLocation();
  const { destination, by, act, cursor } = query;
  useEffect(() => {
    document.title = 'Audit · Waybill';
  }, []);
  const given = { destination: destination || undefined, by: by || undefined, act: act || undefined };
  const key = JSON.stringify([given, cursor]);
  const {
    data,
    key: shown,
    error,
    loading,
    reload,
  } = useLoad(key, (signal) => call('audit', { query: { ...given, cursor: cursor || undefined }, signal }));
  // Rows do not move by themselves: what is newer is offered.
  const { data: newest } = useLoad(
    data && !cursor && changes.value > 0 ? `${key}#${changes.value}` : undefined,
    (signal) => call('audit', { query: { ...given, limit: 1 }, signal }),
  );
  const isNewer =
    newest?.entries[0] !== undefined && data !== undefined && newest.entries[0].at > (data.entries[0]?.at ?? 0);
  const narrow = (part: Record<string, string>): void => {
    const { destination: where, by: who, act: what } = { ...query, ...part } as Record<string, string>;
    route(to.audit({ destination: where ?? '', by: who ?? '', act: what ?? '' }));
  };
  const filtered = Boolean(destination || by || act);

  return (
    <>
      <div class="spread">
        <h1>Audit</h1>
        <span class="row">
          <ButtonLink small download href={addressOf('exportAudit', {}, { ...given, format: 'csv' })}>
            Export CSV
          </ButtonLink>
          <ButtonLink small download href={addressOf('exportAudit', {}, { ...given, format: 'ndjson' })}>
            Export NDJSON
          </ButtonLink>
        </span>
      </div>
      <form
        class="card card-body audit-form"
        aria-label="Filter the audit"
        key={key}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget).get('by');
          narrow({ by: typeof typed === 'string' ? typed.trim() : '' });
        }}
      >
        <Field label="Destination">
          {(control) => (
            <select
              {...control}
              value={destination ?? ''}
              onChange={(event) => narrow({ destination: event.currentTarget.value })}
            >
              <option value="">all</option>
              {destinations.value.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Act">
          {(control) => (
            <select {...control} value={act ?? ''} onChange={(event) => narrow({ act: event.currentTarget.value })}>
              <option value="">all</option>
              {ACTS.map((name) => (
                <option key={name} value={name}>
                  {actLabel(name)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="By whom, exactly">
          {(control) => <input {...control} name="by" autocomplete="off" maxLength={200} defaultValue={by ?? ''} />}
        </Field>
        <span class="row">
          <Button type="submit">Filter</Button>
          {filtered && <a href={to.audit()}>Clear</a>}
        </span>
      </form>
      {error && <ErrorNote error={error} retry={reload} />}
      {isNewer && (
        <div role="status">
          <Note>
            <span>There are newer entries.</span>
            <Button small onClick={reload}>
              Show
            </Button>
          </Note>
        </div>
      )}
      {!data && loading && <Skeleton label="Loading the audit" lines={8} />}
      {data && data.entries.length === 0 && (
        <section class="card">
          <EmptyState title={filtered ? 'No act matches' : 'Nobody has done anything yet'}>
            {filtered ? (
              <a href={to.audit()}>Clear the filter</a>
            ) : (
              <p class="muted">Replays, discards, operations and what retention takes stand here.</p>
            )}
          </EmptyState>
        </section>
      )}
      {data && data.entries.length > 0 && (
        <div class={`card table-box${shown === key ? '' : ' stale'}`}>
          <table class="table audit-table">
            <caption class="unseen">Acts, the newest first</caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Why</th>
                <th scope="col">Of what</th>
              </tr>
            </thead>
            <tbody>
              {data.entries.map((entry) => (
                <Row key={`${entry.destination}/${entry.entry}`} entry={entry} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && (cursor || data.next !== undefined) && (
        <nav class="spread" aria-label="Pages">
          {cursor ? <a href={to.audit(drop(given))}>Newest</a> : <span />}
          {data.next !== undefined && <a href={to.audit({ ...drop(given), cursor: data.next })}>Older</a>}
        </nav>
      )}
    </>
  );
}

const drop = (given: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** Its ends: the first of it says which write, the last which replay of it. */
const shortened = (id: string): string => (id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`);

function Row(props: { entry: AuditEntryShown }) {
  const { entry } = props;
  const { destination } = entry;
  return (
    <tr>
      <td data-label="When">
        <Time at={entry.at} />
      </td>
      <td data-label="Who">
        <a href={to.audit({ by: entry.by })}>
          <Upstream text={entry.by} />
        </a>
      </td>
      <td data-label="What">
        <span class="row">
          <Badge tone={entry.act === 'replay' || entry.act === 'probe' ? 'accent' : 'plain'}>
            {actLabel(entry.act)}
          </Badge>
          {entry.count !== undefined && counted(entry.count, 'letter')}
          {entry.newKey && (
            <a href={to.find(entry.newKey.idempotencyKey, destination)} class="small">
              new key
            </a>
          )}
          {entry.edited && <Badge>edited</Badge>}
          {entry.doubleAccepted && <Badge tone="warn">may be applied twice</Badge>}
          {entry.verdict && <VerdictBadge verdict={entry.verdict} />}
        </span>
      </td>
      <td data-label="Why">
        {entry.reason === undefined ? <span class="muted">—</span> : <Upstream text={entry.reason} show="clamp" />}
      </td>
      <td data-label="Of what">
        <span class="row">
          {destination}
          {entry.letter !== undefined && (
            <a href={to.letter(destination, entry.letter)} title={entry.letter}>
              letter <span class="mono">{shortened(entry.letter)}</span>
            </a>
          )}
          {entry.operation !== undefined && <a href={to.operation(destination, entry.operation)}>operation</a>}
          {entry.filter !== undefined && entry.filter !== '' && (
            <a href={to.letters({ ...readFilter(new URLSearchParams(entry.filter)), destination })}>its filter</a>
          )}
        </span>
      </td>
    </tr>
  );
}
