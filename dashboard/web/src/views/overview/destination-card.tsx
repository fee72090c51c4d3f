// What goes on at one destination: figures, two charts, retention, and the hold that an admin may put on it.
import { useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { DestinationOverview } from '../../../../api/contract/overview.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Chart } from '../../components/chart.tsx';
import { Note } from '../../components/notes.tsx';
import { Time, timeWords } from '../../components/time.tsx';
import { Upstream } from '../../components/upstream.tsx';
import { byteWords, counted, numberWords } from '../../logic/number-words.ts';
import { durationWords } from '../../logic/time-words.ts';
import { to } from '../../routes.ts';
import { drawnOf, isQuiet, latestLatency, perMinute } from './minute-figures.ts';
import { HoldDialog } from './hold-dialog.tsx';

export function DestinationCard(props: { one: DestinationOverview; reload: () => void }) {
  const { one, reload } = props;
  const { destination, minutes } = one;
  const [holding, setHolding] = useState(false);
  const latency = latestLatency(minutes);
  const { sizeMinutes, points } = useMemo(() => drawnOf(minutes), [minutes]);
  const times = useMemo(() => points.map(({ at }) => at), [points]);
  const quiet = minutes.every(isQuiet);
  const throughput = useMemo(
    () => [
      { label: 'delivered', colour: '--good', area: true, values: points.map(({ delivered }) => delivered) },
      { label: 'tried again', colour: '--warn', values: points.map(({ retried }) => retried) },
      { label: 'dead', colour: '--bad', values: points.map(({ dead }) => dead) },
    ],
    [points],
  );
  const latencies = useMemo(
    () => [
      { label: 'p50', colour: '--chart', area: true, values: points.map(({ p50Ms }) => p50Ms) },
      { label: 'p95', colour: '--warn', values: points.map(({ p95Ms }) => p95Ms) },
      { label: 'p99', colour: '--bad', dash: [4, 3] as [number, number], values: points.map(({ p99Ms }) => p99Ms) },
    ],
    [points],
  );
  const titleId = `destination-${destination}`;
  return (
    <section class="card card-body stack" aria-labelledby={titleId}>
      <div class="spread">
        <div class="row">
          <h2 id={titleId}>{destination}</h2>
          {one.paused && <Badge tone="warn">paused</Badge>}
          <Badge tone={one.workers === 0 ? 'warn' : 'plain'}>
            {one.workers === 0 ? 'no worker' : counted(one.workers, 'worker')}
          </Badge>
          {!one.configured && (
            <Badge title="The configuration of this dashboard does not name it">not configured here</Badge>
          )}
        </div>
        <Button small needs="admin" onClick={() => setHolding(true)}>
          {one.paused ? 'Resume…' : 'Pause…'}
        </Button>
      </div>
      {one.paused && one.pausedBy && (
        <Note tone="warn">
          <span>
            Paused by <Upstream text={one.pausedBy.by} show="whole" /> <Time at={one.pausedBy.at} />:{' '}
            <Upstream text={one.pausedBy.reason} show="whole" />
          </span>
        </Note>
      )}
      <dl class="figures">
        <Figure name="delivered a minute" value={perMinute(minutes)} note={`${numberWords(one.delivered)} in all`} />
        <Figure
          name="p50 / p95 / p99"
          value={
            latency
              ? [latency.p50Ms, latency.p95Ms, latency.p99Ms]
                  .map((ms) => (ms === undefined ? '–' : durationWords(ms)))
                  .join(' / ')
              : '–'
          }
          note={
            latency ? (
              <>
                last busy minute, <Time at={latency.at} form="relative" />
              </>
            ) : (
              'no attempt'
            )
          }
          wide
        />
        <Figure
          name="retrying"
          value={numberWords(one.retrying)}
          note={one.scheduled > 0 ? `${numberWords(one.scheduled)} scheduled` : undefined}
        />
        <Figure
          name="waiting"
          value={numberWords(one.waiting)}
          note={
            one.oldestWaitingMs === undefined
              ? `${numberWords(one.active)} being sent`
              : `oldest ${durationWords(one.oldestWaitingMs)}`
          }
        />
        <Figure
          name="dead"
          value={
            <a
              href={to.letters({ destination })}
              class={one.dead > 0 ? 'is-dead' : undefined}
              aria-label={`${numberWords(one.dead)} dead letters of ${destination}`}
            >
              {numberWords(one.dead)}
            </a>
          }
          note={one.oldestDeadMs === undefined ? 'none open' : `oldest ${durationWords(one.oldestDeadMs)}`}
        />
      </dl>
      {quiet ? (
        <p class="muted small">No attempt in this time.</p>
      ) : (
        <>
          <div class="overview-charts">
            <Chart
              title={sizeMinutes === 1 ? 'Writes a minute' : `Writes in ${sizeMinutes} min`}
              times={times}
              lines={throughput}
              format={numberWords}
              whole
              none="No attempt in this time."
            />
            <Chart
              title={`Latency of attempts${sizeMinutes === 1 ? '' : `, longest in ${sizeMinutes} min`}`}
              times={times}
              lines={latencies}
              format={durationWords}
              none="No attempt in this time."
            />
          </div>
          <MinuteTable one={one} />
        </>
      )}
      <Retention one={one} />
      {holding && (
        <HoldDialog
          destination={destination}
          paused={one.paused}
          onClose={() => setHolding(false)}
          onDone={() => {
            setHolding(false);
            reload();
          }}
        />
      )}
    </section>
  );
}

function Figure(props: { name: string; value: ComponentChildren; note?: ComponentChildren; wide?: boolean }) {
  return (
    <div class={props.wide ? 'figure-wide' : undefined}>
      <dt class="muted small">{props.name}</dt>
      <dd>
        <div class="figure-value">{props.value}</div>
        {props.note !== undefined && <div class="muted small">{props.note}</div>}
      </dd>
    </div>
  );
}

const TABLE_ROWS = 60;

function MinuteTable(props: { one: DestinationOverview }) {
  const { destination, minutes } = props.one;
  const [open, setOpen] = useState(false);
  const busy = minutes.filter(
    ({ delivered, retried, dead, p50Ms }) => delivered + retried + dead > 0 || p50Ms !== undefined,
  );
  const ms = (value: number | undefined): string => (value === undefined ? '–' : durationWords(value));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="small">The charts as a table</summary>
      {open && (
        <div class="table-box" role="region" aria-label={`Minutes of ${destination}`} tabIndex={0}>
          <table class="table">
            <caption class="unseen">{destination}, by minute, the newest first</caption>
            <thead>
              <tr>
                <th scope="col">minute</th>
                {['delivered', 'tried again', 'dead', 'p50', 'p95', 'p99'].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {busy
                .slice(-TABLE_ROWS)
                .toReversed()
                .map((minute) => (
                  <tr key={minute.at}>
                    <td class="nowrap">{timeWords(minute.at)}</td>
                    <td class="number">{numberWords(minute.delivered)}</td>
                    <td class="number">{numberWords(minute.retried)}</td>
                    <td class="number">{numberWords(minute.dead)}</td>
                    <td class="number">{ms(minute.p50Ms)}</td>
                    <td class="number">{ms(minute.p95Ms)}</td>
                    <td class="number">{ms(minute.p99Ms)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
          <p class="muted small">
            {busy.length > TABLE_ROWS
              ? `The last ${TABLE_ROWS} minutes in which something happened, of ${busy.length}.`
              : 'Minutes in which nothing happened are left out.'}
          </p>
        </div>
      )}
    </details>
  );
}

function Retention(props: { one: DestinationOverview }) {
  const { retention, replayed, discarded, dead } = props.one;
  const { deadMs, handledMs, nextTrimAt, trimmedAt, trimmedDead, deadBytes } = retention;
  return (
    <p class="retention small muted">
      <strong>Retention</strong>{' '}
      {deadMs === undefined || handledMs === undefined
        ? 'is not known here: the configuration of this dashboard lacks the destination.'
        : `keeps open letters ${durationWords(deadMs)}, handled ones ${durationWords(handledMs)}.`}{' '}
      Now {numberWords(dead)} open, {numberWords(replayed)} replayed, {numberWords(discarded)} discarded
      {deadBytes !== undefined && `, about ${byteWords(deadBytes)}`}.{' '}
      {nextTrimAt !== undefined && (
        <>
          The oldest open one is taken <Time at={nextTrimAt} />.{' '}
        </>
      )}
      {trimmedDead > 0 && `${counted(trimmedDead, 'open letter was', 'open letters were')} taken so far. `}
      {trimmedAt !== undefined && (
        <>
          Last round <Time at={trimmedAt} />.
        </>
      )}
    </p>
  );
}
