// The metrics as Prometheus reads them: a meter provider of this worker alone, and its text.
import type { MeterProvider } from '@opentelemetry/api';
import { MAX_SERIES } from './metrics.ts';

export interface Scrape {
  readonly provider: MeterProvider;
  /** The text format 0.0.4. */
  readonly text: () => Promise<string>;
  close(): Promise<void>;
}

const COLLECT_WITHIN_MS = 5000;

/** Loaded by those workers alone that serve metrics: the SDK takes some 15 MB. */
export async function createScrape(destinations: number): Promise<Scrape> {
  const { AggregationTemporality, InstrumentType, MeterProvider, MetricReader } =
    await import('@opentelemetry/sdk-metrics');
  const { PrometheusSerializer } = await import('@opentelemetry/exporter-prometheus');
  class Reader extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  // The SDK's own limit would lump the destinations past it together. Our labels are bounded already.
  const reader = new Reader({
    cardinalitySelector: () => destinations * MAX_SERIES,
    // Otherwise a gauge keeps the later of two values by this machine's clock: one set back freezes every gauge.
    aggregationTemporalitySelector: (kind) =>
      kind === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
  });
  const provider = new MeterProvider({ readers: [reader] });
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  const collect = async (): Promise<string> =>
    serializer.serialize((await reader.collect({ timeoutMillis: COLLECT_WITHIN_MS })).resourceMetrics);
  let running: Promise<string> | undefined;
  return {
    provider,
    // Of two collections at once one would take the gauges away from the other.
    text: () => (running ??= collect().finally(() => (running = undefined))),
    close: () => provider.shutdown().catch(() => {}),
  };
}
