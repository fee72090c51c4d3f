// A time, relative or absolute, in UTC or local, as the person chose; the other form stands in its title.
// `<Countdown until={at} />` counts down by the second.
import { absoluteWords, durationWords, relativeWords } from '../logic/time-words.ts';
import { now, now10, serverNow } from '../now.ts';
import { stored } from '../stored.ts';

export const FORMS = ['relative', 'absolute'] as const;
export const ZONES = ['local', 'utc'] as const;
export const timeForm = stored('time', FORMS, 'relative');
export const zone = stored('zone', ZONES, 'local');

/** An instant in words, in the chosen zone. */
export const timeWords = (at: number): string => absoluteWords(at, zone.value);

export function Time(props: { at: number; form?: 'relative' | 'absolute' }) {
  const { at } = props;
  // `now10` may be seconds behind: what has happened since has happened just now, and is not to come.
  const relative = relativeWords(at, Math.max(now10.value, Math.min(at, serverNow())));
  const absolute = timeWords(at);
  const asRelative = (props.form ?? timeForm.value) === 'relative';
  return (
    <time dateTime={isoOf(at)} title={asRelative ? absolute : relative} class="nowrap">
      {asRelative ? relative : absolute}
    </time>
  );
}

/** @param after what is said when the time has come */
export function Countdown(props: { until: number; after?: string }) {
  const leftMs = props.until - now.value;
  return (
    <time dateTime={isoOf(props.until)} title={timeWords(props.until)} class="nowrap">
      {leftMs > 0 ? durationWords(Math.ceil(leftMs / 1000) * 1000) : (props.after ?? 'over')}
    </time>
  );
}

function isoOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
