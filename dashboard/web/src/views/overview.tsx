// Every destination at a glance: what is sent and how fast, what waits, what is dead, and what Redis holds.
import { useLocation } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { refusedSince } from '../api/session.ts';
import { Segments } from '../components/field.tsx';
import { EmptyState, ErrorNote, Skeleton } from '../components/notes.tsx';
import { paused } from '../live.ts';
import { byteWords, numberWords, percentWords } from '../logic/number-words.ts';
import { now10 } from '../now.ts';
import { to } from '../routes.ts';
import { DestinationCard } from './overview/destination-card.tsx';
import './overview/overview.css';

const SPANS = [
  ['60', '1 h'],
  ['360', '6 h'],
  ['1440', '24 h'],
] as const;
type Span = (typeof SPANS)[number][0];
/** How often it is asked anew. The minutes of a day are many, and one more hardly shows. */
const EVERY_MS: Record<Span, number> = { '60': 10_000, '360': 10_000, '1440': 30_000 };

export function Overview() {
  const { query } = useLocation();
  const [span, setSpan] = useState<Span>('60');
  const { data, error, loading, reload } = useLoad(span, (signal) =>
    call('overview', { query: { minutes: span }, signal }),
  );
  useEffect(() => {
    document.title = 'Overview · Waybill';
  }, []);
  // Deliveries are no news of the stream's, and in an outage it tells of one change after another: it is asked by the
  // clock, unless a person holds the page still or has to sign in.
  const tick = paused.value || refusedSince.value > 0 ? 0 : Math.floor(now10.value / EVERY_MS[span]);
  useEffect(() => {
    if (data && !loading) reload();
  }, [tick]);
  const shown = data?.destinations.filter(({ destination }) => !query.destination || destination === query.destination);
  const dead = shown?.reduce((sum, one) => sum + one.dead, 0) ?? 0;

  return (
    <>
      <div class="spread">
        <div class="stack-tight">
          <h1>Overview</h1>
          {data && (
            <p class="muted">
              <a href={to.letters(query.destination ? { destination: query.destination } : {})}>
                {numberWords(dead)} dead
              </a>
              <RedisWords redis={data.redis} />
            </p>
          )}
        </div>
        <div class="span-choice">
          <Segments label="Charts over" name="span" options={SPANS} value={span} onChange={setSpan} />
        </div>
      </div>
      {error && <ErrorNote error={error} retry={reload} />}
      {!data && loading && <Skeleton label="Loading the overview" lines={10} />}
      {shown?.length === 0 && (
        <section class="card">
          <EmptyState title="No destination yet">
            <p class="muted">A destination stands here once it is configured, or a write for it was enqueued.</p>
          </EmptyState>
        </section>
      )}
      {shown?.map((one) => (
        <DestinationCard key={one.destination} one={one} reload={reload} />
      ))}
    </>
  );
}

function RedisWords(props: {
  redis: { version?: string | undefined; usedBytes?: number | undefined; maxBytes?: number | undefined };
}) {
  const { version, usedBytes, maxBytes } = props.redis;
  if (usedBytes === undefined) return null;
  return (
    <>
      {' '}
      · Redis {version} holds {byteWords(usedBytes)}
      {maxBytes !== undefined && maxBytes > 0
        ? ` of ${byteWords(maxBytes)} (${percentWords(usedBytes / maxBytes)})`
        : ', without a limit of its own'}
    </>
  );
}
